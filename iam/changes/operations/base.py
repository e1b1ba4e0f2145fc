"""What an operation declares: its parameters, calls, effect, observation, inverse and sensitivity."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from iam.aws import writes
from iam.aws.session import Aws
from iam.changes.access_effects import AccessEffect
from iam.changes.operations.facts import fact_from, former_params, without_layout
from iam.changes.operations.identity import find_current_entity
from iam.changes.operations.params import as_stored
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec, PermanentLoss
from iam.changes.quotas import QuotaUse, quota_of
from iam.changes.world import ChangeWorld
from iam.mirror.models import Account, Entity

Image = dict[str, Any]
"""The part of AWS's state that an operation concerns, as it is or as it should be; JSON."""


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One AWS API call, with a sentence for people. `region` is blank for global services."""

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
        """The call as a receipt stores it."""
        body = {
            "service": self.service,
            "operation": self.operation,
            "params": dict(self.params),
            "sentence": self.sentence,
        }
        return body | {"region": self.region} if self.region else body


REGISTRY: Final[dict[str, OperationSpec]] = {}
"""The operations by slug. Inverses are referenced by slug, so that modules don't import each other."""
_CLASSES: Final[dict[str, type[Operation]]] = {}


class Operation(ABC):
    """One write to AWS that can be planned, shown, applied, observed and undone.

    Most methods answer from `spec`, which is data. A class overrides a method only if it behaves differently.
    """

    spec: OperationSpec
    SPECS: ClassVar[tuple[OperationSpec, ...]] = ()
    """All operations of a class that has several; the `spec` of an instance is one of them."""
    params_type: ClassVar[Any]
    """The type of `inputs`, as the class declares it."""
    can_observe_concurrently: ClassVar[bool] = False
    """True if `observe` does not need results of `identity_error`, so that both can call AWS at once."""
    missing_message: ClassVar[str]
    """A sentence for when the mirror no longer has the subject."""
    initial: ClassVar[Image | None] = None
    """The image of a subject that was just created."""
    excluded: ClassVar[tuple[str, ...]] = ()
    """Slug prefixes that must have no open change on the subject; empty: only the same operation and
    parameters.
    """
    excluded_by: ClassVar[tuple[str, ...]] = ()
    """Parameters that must be equal too for `excluded` to apply."""
    references: ClassVar[tuple[str, ...]] = ()
    """The parameters that `referenced_arns` returns."""
    inputs: Any

    def __init_subclass__(cls) -> None:
        """Register the class's operations and the type of its parameters. Raises ValueError for a duplicate
        slug.
        """
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
        """Return the operation on an entity of the mirror or an account. A class with several operations for
        one kind takes the spec first.

        `rest` are the parameters that don't identify the subject. Raises TypeError or ValueError if they
        don't fit.
        """
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
        """Resolve a name in a text or in call parameters: a parameter, else a property of the operation, else
        a field of its spec. A boolean is returned as is.
        """
        if isinstance(name, bool):
            return name
        holder = next((part for part in (self.inputs, self) if hasattr(part, name)), self.spec)
        return getattr(holder, name)

    def fill_in(self, text: str) -> str:
        """Fill the names into a text of the spec."""
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
        """The kind of its subject."""
        return self.spec.subject_kind

    @property
    def title(self) -> str:
        """What it does, in a few words."""
        return self.fill_in(self.spec.title)

    @property
    def noop_message(self) -> str:
        """A sentence for when AWS already has the desired state before anything is done."""
        return self.fill_in(self.spec.no_op)

    def named(self, attribute: str) -> str:
        """Return what the parameters have for an attribute of the subject."""
        return str(getattr(self.inputs, self.inputs.NAMES[attribute]))

    @property
    def subject_id(self) -> str:
        """AWS's unique ID of the subject, or the ARN of one to be created. A subject has one change in
        flight.
        """
        return self.named("aws_id") or self.named("arn")

    def modified_arns(self) -> tuple[str, ...]:
        """The ARNs of everything that it modifies."""
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
        """The region of its calls; blank for global services."""
        return ""

    def desired_state(self) -> Image:
        """The image that AWS shows afterwards."""
        return {fact: fact_from(fact, self.value(name)) for fact, name in self.spec.state.items()}

    def state_in_mirror(self) -> Image | None:
        """The image according to the mirror; None if the mirror no longer has the entities."""
        subject = self.subject()
        return None if subject is None else self.image_of(subject)

    def image_of(self, subject: Entity) -> Image | None:
        """The image of a subject in the mirror; None if the mirror lacks what the operation is about."""
        raise NotImplementedError

    def effect(self) -> AccessEffect:
        """Who gains or loses what, according to the mirror, in addition to what `simulate` shows."""
        return AccessEffect(notes=self.notes())

    def notes(self) -> tuple[str, ...]:
        """Sentences on what becomes possible or stops working."""
        return tuple(self.fill_in(note) for note in self.spec.notes)

    def identity_error(self, aws: Aws) -> str:
        """Why a name no longer refers to what was approved (deleted, recreated), or "". Raises AwsError."""
        return ""

    @abstractmethod
    def observe(self, aws: Aws) -> Image:
        """Read the image from AWS, with one call unless the class says otherwise. Raises AwsError."""

    @abstractmethod
    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Refresh the subject in the mirror, caused by this change (None: cause unknown). Uses the last
        observation if there is one, without another call unless the class says otherwise. Raises AwsError.
        """

    def inverse(self, before: Image) -> Operation | None:
        """The operation that restores `before`; None if nothing can, or if nothing changed."""
        return None if self.satisfied(before) else self.restoration(before)

    def restoration(self, before: Image) -> Operation | None:
        """The operation that restores a different `before`; None if nothing can."""
        if not self.spec.inverse:
            return None
        if self.spec.inverse == self.slug:
            former = former_params(self.spec.state, before)
            return None if former is None else self.with_params(**former)
        return restore(self.spec.inverse, account=self.account, params=self.params)

    def beside(self, slug: str, **more: Any) -> Operation:
        """Return another operation on the same subject; `more` are its parameters that don't identify it."""
        return restore(slug, account=self.account, params={**self.inputs.subject_names, **more})

    def with_params(self, **params: Any) -> Self:
        """The same operation with some parameters replaced."""
        return type(self)(self.account, replace(self.inputs, **params), self.spec)

    @property
    def loss(self) -> PermanentLoss | None:
        """What can't be restored; None if it can be undone."""
        return self.spec.loss

    def subject(self) -> Entity | None:
        """The mirror's row of the subject, found by ARN if its set has created it."""
        aws_id, arn = self.named("aws_id"), self.named("arn")
        return find_current_entity(self.account, kind=self.subject_kind, aws_id=aws_id, arn=arn)

    @property
    def irreversible(self) -> str:
        """Why what it ends can't be restored, as a sentence shown beforehand; "" if it can be undone."""
        return self.loss.reason if self.loss else ""

    @property
    def alternative(self) -> str:
        """The reversible alternative to an irreversible operation; "" if there is none."""
        return self.loss.alternative if self.loss else ""

    def referenced_arns(self) -> tuple[str, ...]:
        """The ARNs of what it refers to without modifying it, such as a policy that it attaches."""
        return tuple(filter(None, map(self.value, self.references)))

    def created_arns(self) -> tuple[str, ...]:
        """The ARNs of what it creates."""
        return ()

    def texts_made(self) -> Mapping[str, str]:
        """The texts of the managed policies that it creates, by ARN."""
        return {}

    def with_preceding(self, earlier: Sequence[Operation]) -> None:  # noqa: B027
        """Take from the earlier operations of its set what the mirror lacks. Called before all
        other methods.
        """

    def initial_state(self) -> Image | None:
        """The image right after an earlier change of the set created the subject; None if that can't be."""
        return self.initial

    def simulate(self, world: ChangeWorld) -> None:  # noqa: B027
        """Apply the operation to the world, so that the engine can tell who gains and loses what; no I/O."""

    def risks(self) -> tuple[str, ...]:
        """Risks that the engine doesn't see in permissions; values of `iam.changes.risks`."""
        return self.spec.risks

    def resolve_params(self, call: AwsCall) -> Mapping[str, Any]:
        """The parameters to send; sealed secrets are opened only here. Raises RefusedError if one is gone."""
        return call.params

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the change keeps of a response, such as {"ids": {arn: unique ID}}; secrets go to
        `iam.sealed`.

        It must be safe if the worker is lost right after AWS has answered.
        """
        return {}

    def load_results(self, results: Mapping[str, Any]) -> None:  # noqa: B027
        """Load what was kept of earlier responses, before AWS is observed."""

    def satisfied(self, image: Image) -> bool:
        """True if AWS already has the desired state, regardless of the layout of texts."""
        return without_layout(image) == without_layout(self.desired_state())

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True if AWS is as it was when the change was planned, or as some of the calls leave it."""
        return without_layout(image) == without_layout(before)

    def drift_message(self, image: Image, *, before: Image) -> str:
        """A sentence on how AWS differs from the plan and what to do; "" for the standard text."""
        return ""

    def is_done(self, call: AwsCall, *, image: Image) -> bool:
        """True if AWS shows that one of several calls was made, so that it is not made (again)."""
        return False

    def may_repeat(self, call: AwsCall) -> bool:
        """True if a call whose response was lost may be sent again."""
        return self.spec.is_idempotent

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        """True if it can't be requested while its subject has an open change with this slug and params."""
        if not self.excluded:
            return (slug, params) == (self.slug, self.params)
        beginnings = tuple(self.fill_in(slug) for slug in self.excluded)
        return slug.startswith(beginnings) and all(
            params.get(name) == self.params[name] for name in self.excluded_by
        )

    def quota(self) -> QuotaUse | None:
        """Its use of an AWS quota, according to the mirror; None if it has none."""
        quota = self.spec.quota
        used = None if quota is None else self.used()
        if quota is None or used is None:
            return None
        after, limit = used + self.quota_growth, quota.usual
        if quota.name:
            limit = quota_of(self.account, self.fill_in(quota.name), default=quota.usual)
        if not self.spec.adds:
            # A removal is always allowed, even if the quota was lowered.
            limit = max(limit, after)
        refusal = quota.refusal.format_map(_Names(self, used=used, after=after, limit=limit))
        return QuotaUse(self.fill_in(quota.what), used=used, after=after, limit=limit, refusal=refusal)

    def used(self) -> int | None:
        """Current use of the quota, including earlier changes of the set; None if the mirror can't tell."""
        subject = self.subject()
        return None if subject is None else self.used_by(subject)

    def used_by(self, subject: Entity) -> int | None:
        """The use of the quota by a subject of the mirror."""
        raise NotImplementedError

    @property
    def quota_growth(self) -> int:
        """How much the use of the quota grows."""
        return 1 if self.spec.adds else -1

    def sensitivity(self, effect: AccessEffect) -> str:
        """High if a gained policy allows everything or changes to IAM, or if a deny is removed."""
        if self.spec.weight:
            return self.spec.weight
        risky = any({"everything", "iam"} & set(policy.flags) for policy in effect.gains)
        # Removing a policy can also allow more, if it has a deny.
        opens = any("denies" in policy.flags for policy in effect.loses)
        return HIGH if risky or opens else NORMAL

    def refusal(self) -> str:
        """Why the class refuses the request, as a sentence; "" if it doesn't."""
        return ""

    def problem(self) -> str:
        """Why it can't be requested: a requirement of the spec, the class's refusal, or the first error that
        AWS's service model finds in the calls; "" if nothing is wrong.
        """
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
    """Resolves the names in an operation's texts."""

    def __init__(self, operation: Operation, **names: Any) -> None:
        super().__init__(names)
        self._operation = operation

    def __missing__(self, name: str) -> Any:
        return self._operation.value(name)


def class_of(slug: str) -> type[Operation]:
    """The class of an operation."""
    return _CLASSES[slug]


def operation_on(slug: str, subject: Entity, **rest: Any) -> Operation:
    """Return an operation on an entity of the mirror by slug; `rest` as for `Operation.of`."""
    return class_of(slug).of(REGISTRY[slug], subject, **rest)


def restore(slug: str, *, account: Account, params: Mapping[str, Any]) -> Operation:
    """Return the operation that a row stores. Raises KeyError for an unknown slug, and TypeError or
    ValueError for params that this version does not know.
    """
    made_by = _CLASSES[slug]
    return made_by(account, made_by.params_type(**params), REGISTRY[slug])
