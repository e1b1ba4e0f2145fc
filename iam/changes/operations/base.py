"""What an operation declares: its parameters, calls, effect, observation, inverse and sensitivity."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from iam.aws import writes
from iam.aws.session import Aws
from iam.changes.operations.access import PolicyAccess, PolicyRef
from iam.changes.operations.facts import fact_from, former_params
from iam.changes.operations.identity import find_current_entity
from iam.changes.operations.params import as_stored
from iam.changes.operations.quotas import QuotaUse, quota_of
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec, PermanentLoss
from iam.changes.world import ChangeWorld
from iam.mirror.models import Account, Entity

Image = dict[str, Any]
"""What AWS shows, or is to show, of the matter of an operation; JSON."""


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One call to AWS as AWS names it, with a sentence for people; `region` is blank where the service is
    global."""

    service: str
    operation: str
    params: Mapping[str, Any]
    sentence: str
    region: str = ""

    @property
    def action(self) -> str:
        return f"{self.service}:{self.operation}"

    @property
    def body(self) -> dict[str, Any]:
        """As a receipt holds it."""
        body = {
            "service": self.service,
            "operation": self.operation,
            "params": dict(self.params),
            "sentence": self.sentence,
        }
        return body | {"region": self.region} if self.region else body


@dataclass(frozen=True, slots=True)
class AccessEffect:
    """Which policies somebody gains, loses, or keeps by another way, before boundary and service control
    policies; or, where the text of a policy changes, who can do more or less by it, with all that
    bounds them (`access`). The notes that are `confidential` name what only those may read who see the
    account whole."""

    gains: tuple[PolicyRef, ...] = ()
    loses: tuple[PolicyRef, ...] = ()
    keeps: tuple[PolicyRef, ...] = ()
    boundary: str = ""
    notes: tuple[str, ...] = field(default=())
    access: PolicyAccess | None = None
    confidential: tuple[str, ...] = ()


REGISTRY: Final[dict[str, OperationSpec]] = {}
"""The operations by their slug. They name their way back by slug, so that no two modules import each
other."""
_CLASSES: Final[dict[str, type[Operation]]] = {}


class Operation(ABC):
    """One write to AWS that can be planned, shown, carried out, observed and turned back.

    Its `spec` says as data what most methods answer. A class overrides a method only where it behaves
    differently.
    """

    spec: OperationSpec
    SPECS: ClassVar[tuple[OperationSpec, ...]] = ()
    """All operations of the class, where they are several; each instance has one as its `spec`."""
    params_type: ClassVar[Any]
    """The type of `inputs`, as the class declares it."""
    can_observe_concurrently: ClassVar[bool] = False
    """Whether `observe` asks AWS alone, and nothing that `identity_error` has found, so that both may ask at
    once."""
    missing_message: ClassVar[str]
    """A sentence for when the mirror does not have what it is about any more."""
    initial: ClassVar[Image | None] = None
    """How the matter of something stands that was just made: with nothing."""
    excluded: ClassVar[tuple[str, ...]] = ()
    """Of which operations no open change of its subject may stand: beginnings of their slugs. Empty: only of
    its twin, with the same parameters."""
    excluded_by: ClassVar[tuple[str, ...]] = ()
    """Only of those that have these parameters in common."""
    references: ClassVar[tuple[str, ...]] = ()
    """The parameters that are `referenced_arns`."""
    inputs: Any

    def __init_subclass__(cls) -> None:
        """Enter its operations and the type of its parameters. Raises ValueError for a slug that is taken."""
        own = vars(cls)
        single = (own["spec"],) if "spec" in own else ()
        for spec in own.get("SPECS", single):
            if spec.slug in REGISTRY:
                raise ValueError(f"Two operations have the slug {spec.slug}.")
            REGISTRY[spec.slug] = spec
            _CLASSES[spec.slug] = cls
        if declared := own.get("__annotations__", {}).get("inputs"):
            cls.params_type = getattr(sys.modules[cls.__module__], declared)

    def __init__(self, account: Account, params: Any, spec: OperationSpec | None = None) -> None:
        self.account = account
        self.inputs = params
        if spec is not None:
            self.spec = spec

    @classmethod
    def of(cls, *which: Any, **rest: Any) -> Self:
        """The operation on an entity of the mirror, or on an account; its spec comes first where the class
        has several for one kind. `rest` are the parameters beside those that name the subject. Raises
        TypeError or ValueError when they do not fit."""
        *chosen, subject = which
        params = cls.params_type(**cls.params_type.names_of(subject), **as_stored(rest))
        if isinstance(subject, Account):
            return cls(subject, params, *chosen)
        of_kind = [spec for spec in cls.SPECS if spec.is_on(subject.kind)]
        return cls(subject.account, params, *(chosen or of_kind[:1]))

    @property
    def params(self) -> dict[str, Any]:
        """The typed parameters as JSON."""
        return asdict(self.inputs)

    def value(self, name: str | bool) -> Any:
        """What a name in a text or in the parameters of a call stands for: a parameter, else a property of
        the operation, else a field of its spec; a boolean stands for itself."""
        if isinstance(name, bool):
            return name
        holder = next((part for part in (self.inputs, self) if hasattr(part, name)), self.spec)
        return getattr(holder, name)

    def fill_in(self, text: str) -> str:
        """A text of the spec with the names in it filled in."""
        return text.format_map(_Names(self))

    @property
    def slug(self) -> str:
        return self.spec.slug

    @property
    def family(self) -> str:
        """Its family in `iam.aws.actions.WRITE`."""
        return self.fill_in(self.spec.family)

    @property
    def subject_kind(self) -> str:
        """The kind of entity that it is about."""
        return self.spec.subject_kind

    @property
    def title(self) -> str:
        """What it does, in a few words."""
        return self.fill_in(self.spec.title)

    @property
    def noop_message(self) -> str:
        """A sentence for when AWS is as wanted before anything was done."""
        return self.fill_in(self.spec.no_op)

    def named(self, attribute: str) -> str:
        """What the parameters say of the subject."""
        return str(getattr(self.inputs, self.inputs.NAMES[attribute]))

    @property
    def subject_id(self) -> str:
        """AWS's unique id of the subject, or the ARN of one that is still to be made: one change at a time is
        in flight per subject."""
        return self.named("aws_id") or self.named("arn")

    def modified_arns(self) -> tuple[str, ...]:
        """The ARNs of everything that it alters."""
        return (self.named("arn"),)

    def calls(self) -> tuple[AwsCall, ...]:
        """The exact calls, in order."""
        return (self.specified_call(),)

    def specified_call(self) -> AwsCall:
        spec, parameters = self.spec, {}
        for name, source in spec.parameters.items():
            wanted = source.removesuffix("?") if isinstance(source, str) else source
            value = self.value(wanted)
            if value or wanted == source:
                parameters[self.fill_in(name)] = value
        return AwsCall(
            spec.service, self.fill_in(spec.call), parameters, self.fill_in(spec.sentence), self.region
        )

    @property
    def region(self) -> str:
        """Where it is called; blank where the service is global."""
        return ""

    def desired_state(self) -> Image:
        """What AWS shows afterwards."""
        return {fact: fact_from(fact, self.value(name)) for fact, name in self.spec.state.items()}

    def state_in_mirror(self) -> Image | None:
        """What the mirror shows now; None when it does not have the entities any more."""
        subject = self.subject()
        return None if subject is None else self.image_of(subject)

    def image_of(self, subject: Entity) -> Image | None:
        """The image of what the mirror holds of a subject; None where it does not hold what this is about."""
        raise NotImplementedError

    def effect(self) -> AccessEffect:
        """Who gets or loses what by it, as the mirror stands, beside what the world tells that `simulate`
        alters."""
        return AccessEffect(notes=self.notes())

    def notes(self) -> tuple[str, ...]:
        """Sentences on what becomes possible or stops."""
        return tuple(self.fill_in(note) for note in self.spec.notes)

    def identity_error(self, aws: Aws) -> str:
        """Why the names no longer mean what was approved (deleted, made again), or "". Raises AwsError."""
        return ""

    @abstractmethod
    def observe(self, aws: Aws) -> Image:
        """What AWS shows now; one call unless the class says otherwise. Raises AwsError."""

    @abstractmethod
    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Read the subject into the mirror, caused by this change (None: by nobody that is known). The last
        observation is taken where there was one, without a further call unless the class says otherwise.
        Raises AwsError."""

    def inverse(self, before: Image) -> Operation | None:
        """The operation that brings back what was before; None when nothing does, or nothing was other."""
        return None if self.satisfied(before) else self.restoration(before)

    def restoration(self, before: Image) -> Operation | None:
        """The operation that brings back what was other before, or None when nothing does."""
        if not self.spec.inverse:
            return None
        if self.spec.inverse == self.slug:
            former = former_params(self.spec.state, before)
            return None if former is None else self.with_params(**former)
        return restore(self.spec.inverse, account=self.account, params=self.params)

    def beside(self, slug: str, **more: Any) -> Operation:
        """Another operation on the same subject; `more` are its parameters beside those that name the
        subject."""
        return restore(slug, account=self.account, params={**self.inputs.subject_names, **more})

    def with_params(self, **params: Any) -> Self:
        """The same operation with some other parameters."""
        return type(self)(self.account, replace(self.inputs, **params), self.spec)

    @property
    def loss(self) -> PermanentLoss | None:
        """What nothing brings back; None where it can be undone."""
        return self.spec.loss

    def subject(self) -> Entity | None:
        """The mirror's row of the subject. One that a set has made is known by its ARN."""
        aws_id, arn = self.named("aws_id"), self.named("arn")
        return find_current_entity(self.account, kind=self.subject_kind, aws_id=aws_id, arn=arn)

    @property
    def irreversible(self) -> str:
        """Why nothing brings back what it ends, in a sentence that is said beforehand; "" when it can be
        undone."""
        return self.loss.reason if self.loss else ""

    @property
    def alternative(self) -> str:
        """The reversible means that is offered beside an irreversible one; "" for none."""
        return self.loss.alternative if self.loss else ""

    def referenced_arns(self) -> tuple[str, ...]:
        """The ARNs of what it speaks of and leaves as it is, such as a policy that it attaches."""
        return tuple(filter(None, map(self.value, self.references)))

    def created_arns(self) -> tuple[str, ...]:
        """The ARNs of what it brings into being."""
        return ()

    def texts_made(self) -> Mapping[str, str]:
        """What the managed policies say that it brings into being, by ARN."""
        return {}

    def with_preceding(self, earlier: Sequence[Operation]) -> None:  # noqa: B027
        """Learn from the operations that come before it in its set what the mirror does not hold yet.
        Asked before anything else."""

    def initial_state(self) -> Image | None:
        """How the matter stands when an earlier change of the same set has just made what it is about;
        None: that cannot be."""
        return self.initial

    def simulate(self, world: ChangeWorld) -> None:  # noqa: B027
        """Enter what the account is like afterwards, so that the engine can tell who gains and loses what;
        pure."""

    def risks(self) -> tuple[str, ...]:
        """Risks that the engine does not see in what principals can do; words of `iam.changes.risks`."""
        return self.spec.risks

    def resolve_params(self, call: AwsCall) -> Mapping[str, Any]:
        """The parameters as they are sent: the one place where a sealed secret is opened. Raises
        RefusedError when it is not there any more."""
        return call.params

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        """What of an answer is kept with the change, such as {"ids": {arn: unique id}}; a secret goes to
        `iam.sealed` instead.

        It must do no harm when AWS has answered and the worker is lost right after it."""
        return {}

    def load_results(self, results: Mapping[str, Any]) -> None:  # noqa: B027
        """Take up what was kept of earlier answers, before AWS is observed."""

    def satisfied(self, image: Image) -> bool:
        """Whether AWS is already as wanted."""
        return image == self.desired_state()

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """Whether AWS is as it was planned on, or as some of the calls leave it."""
        return image == before

    def drift_message(self, image: Image, *, before: Image) -> str:
        """In a sentence, how AWS differs from what was planned on, and what to do about it; "" for the
        usual words."""
        return ""

    def is_done(self, call: AwsCall, *, image: Image) -> bool:
        """Whether AWS shows that one of several calls was carried out, so that it is not made (again)."""
        return False

    def may_repeat(self, call: AwsCall) -> bool:
        """Whether a call of which the answer was lost may be sent again."""
        return self.spec.is_idempotent

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        """Whether it cannot be asked for while an open change of its subject, of this operation and
        params, stands."""
        if not self.excluded:
            return (slug, params) == (self.slug, self.params)
        beginnings = tuple(self.fill_in(slug) for slug in self.excluded)
        return slug.startswith(beginnings) and all(
            params.get(name) == self.params[name] for name in self.excluded_by
        )

    def quota(self) -> QuotaUse | None:
        """The quota of AWS that it draws on, as the mirror stands; None for none."""
        quota = self.spec.quota
        used = None if quota is None else self.used()
        if quota is None or used is None:
            return None
        after, limit = used + self.quota_growth, quota.usual
        if quota.name:
            limit = quota_of(self.account, self.fill_in(quota.name), default=quota.usual)
        if not self.spec.adds:
            # What takes away is always allowed, also under a quota that was lowered.
            limit = max(limit, after)
        refusal = quota.refusal.format_map(_Names(self, used=used, after=after, limit=limit))
        return QuotaUse(self.fill_in(quota.what), used=used, after=after, limit=limit, refusal=refusal)

    def used(self) -> int | None:
        """How much of its quota is used, as the set has it by then; None where the mirror does not tell."""
        return None

    @property
    def quota_growth(self) -> int:
        """How much more of its quota is used afterwards."""
        return 1 if self.spec.adds else -1

    def sensitivity(self, effect: AccessEffect) -> str:
        """How much care the approval takes: high when a policy that allows everything, or changes to IAM,
        is given."""
        if self.spec.weight:
            return self.spec.weight
        risky = any({"everything", "iam"} & set(policy.flags) for policy in effect.gains)
        # What is taken away can open as well: a deny that goes.
        opens = any("denies" in policy.flags for policy in effect.loses)
        return HIGH if risky or opens else NORMAL

    def refusal(self) -> str:
        """Why its class does not let it be requested, in a sentence; "" is well."""
        return ""

    def problem(self) -> str:
        """Why it cannot be requested: what a requirement of the spec or its class says, else what AWS's own
        service model finds wrong with the calls; "" is well."""
        for requirement in self.spec.requirements:
            if refusal := requirement(self):
                return refusal
        if refusal := self.refusal():
            return refusal
        for call in self.calls():
            if problems := writes.validate(call.service, call.operation, call.params):
                return problems[0]
        return ""


class _Names(dict[str, Any]):
    """What the names in the texts of an operation stand for."""

    def __init__(self, operation: Operation, **names: Any) -> None:
        super().__init__(names)
        self._operation = operation

    def __missing__(self, name: str) -> Any:
        return self._operation.value(name)


def class_of(slug: str) -> type[Operation]:
    """The class that carries out an operation."""
    return _CLASSES[slug]


def operation_on(slug: str, subject: Entity, **rest: Any) -> Operation:
    """An operation on an entity of the mirror, by its slug; `rest` as for `of` of its class."""
    return class_of(slug).of(REGISTRY[slug], subject, **rest)


def restore(slug: str, *, account: Account, params: Mapping[str, Any]) -> Operation:
    """The operation that a row holds. Raises KeyError for a slug, and TypeError or ValueError for params,
    that this version does not know."""
    made_by = _CLASSES[slug]
    return made_by(account, made_by.params_type(**params), REGISTRY[slug])
