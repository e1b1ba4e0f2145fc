"""What an operation declares: its parameters, calls, effect, observation, inverse and sensitivity."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self
from uuid import UUID

from iam.aws import writes
from iam.aws.session import Aws
from iam.changes.operations.access import Access
from iam.changes.world import World
from iam.mirror.models import Account, Entity

Image = dict[str, Any]
"""What AWS shows, or is to show, of the matter of an operation; JSON."""

NORMAL, HIGH = "normal", "high"


@dataclass(frozen=True, slots=True)
class Call:
    """One call to AWS as AWS names it, with a sentence for people; `region` is blank where the service is global."""

    service: str
    operation: str
    params: Mapping[str, Any]
    sentence: str
    region: str = ""

    @property
    def action(self) -> str:
        """The call as IAM policies name it."""
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
class Policy:
    """A policy that an operation gives or takes. `digest` names its document (the default version's); `ways` are the other
    ways by which the person holds the same; `flags` are of `iam.changes.documents`."""

    kind: str
    name: str
    arn: str = ""
    digest: str = ""
    owner: str = ""
    entity_id: int | None = None
    flags: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """What an operation ends for good: what it does in a few words, why nothing brings that back, and the reversible means beside it."""

    deed: str
    reason: str
    instead: str


@dataclass(frozen=True, slots=True)
class Effect:
    """Which policies somebody gains, loses, or keeps by another way, before boundary and service control policies; or, where the
    text of a policy changes, who can do more or less by it, with all that bounds them (`access`)."""

    gains: tuple[Policy, ...] = ()
    loses: tuple[Policy, ...] = ()
    keeps: tuple[Policy, ...] = ()
    boundary: str = ""
    notes: tuple[str, ...] = field(default=())
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """Room under a quota of AWS. `refusal` is said where `after` is beyond the limit; `what` names the count that follows."""

    what: str
    used: int
    after: int
    limit: int
    refusal: str

    @property
    def body(self) -> dict[str, Any]:
        """As a receipt holds it."""
        return {"what": self.what, "used": self.used, "after": self.after, "limit": self.limit}


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A call with its equivalents for other tools, to copy; the reader's own credentials sign it."""

    number: int
    action: str
    sentence: str
    cli: str
    boto3: str
    javascript: str
    curl: str


def shown_calls(calls: list[dict[str, Any]], *, partition: str) -> list[ShownCall]:
    """The calls of a receipt as a reader can make them by themselves."""
    return [_shown(number, call, partition=partition) for number, call in enumerate(calls, start=1)]


def _shown(number: int, call: dict[str, Any], *, partition: str) -> ShownCall:
    what = call["service"], call["operation"], call["params"]
    region = call.get("region", "")
    return ShownCall(
        number=number,
        action=f"{call['service']}:{call['operation']}",
        sentence=call["sentence"],
        cli=writes.as_cli(*what, partition=partition, region=region),
        boto3=writes.as_boto3(*what, partition=partition, region=region),
        javascript=writes.as_javascript(*what, partition=partition, region=region),
        curl=writes.as_curl(*what, partition=partition, region=region),
    )


class Operation(ABC):
    """One write to AWS that can be planned, shown, carried out, observed and turned back.

    `is_idempotent`: a second call does no harm and changes nothing, so that a call of which the answer was lost may be
    repeated once AWS has been looked at.
    """

    slug: ClassVar[str]
    family: ClassVar[str] = ""
    """Its family in `iam.aws.permissions.WRITE`."""
    looks_beside: ClassVar[bool] = False
    """Whether `observe` asks AWS alone, and nothing that `mismatch` has found, so that both may ask at once."""
    is_idempotent: ClassVar[bool]
    subject_kind: ClassVar[str]
    gone: ClassVar[str]
    """A sentence for when the mirror does not have what it is about any more."""
    loss: ClassVar[Loss | None] = None
    """What nothing brings back; None where it can be undone."""
    comes_back: ClassVar[str] = ""
    """What is other than before when it was undone, in a sentence; "" for nothing but dates."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @classmethod
    @abstractmethod
    def from_params(cls, account: Account, params: Mapping[str, Any]) -> Self:
        """The operation from its stored parameters. Raises TypeError or ValueError when they are not its own."""

    @property
    @abstractmethod
    def params(self) -> dict[str, Any]:
        """The typed parameters as JSON."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What it does, in a few words."""

    @property
    @abstractmethod
    def subject_id(self) -> str:
        """AWS's unique id of the subject: one change at a time is in flight per subject."""

    @property
    @abstractmethod
    def already(self) -> str:
        """A sentence for when AWS is as wanted before anything was done."""

    @abstractmethod
    def touched(self) -> tuple[str, ...]:
        """The ARNs of everything that it alters."""

    @abstractmethod
    def calls(self) -> tuple[Call, ...]:
        """The exact calls, in order."""

    @abstractmethod
    def wanted(self) -> Image:
        """What AWS shows afterwards."""

    @abstractmethod
    def mirrored(self) -> Image | None:
        """What the mirror shows now; None when it does not have the entities any more."""

    @abstractmethod
    def effect(self) -> Effect:
        """Who gets or loses what by it, as the mirror stands."""

    @abstractmethod
    def mismatch(self, aws: Aws) -> str:
        """Why the names no longer mean what was approved (deleted, made again), or "". Raises AwsError."""

    @abstractmethod
    def observe(self, aws: Aws) -> Image:
        """What AWS shows now. Raises AwsError."""

    @abstractmethod
    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Read the subject into the mirror, caused by this change (None: by nobody that is known). Raises AwsError."""

    @abstractmethod
    def inverse(self, before: Image) -> Operation | None:
        """The operation that brings back what was before, or None when nothing does."""

    @abstractmethod
    def subject(self) -> Entity | None:
        """The mirror's row of the subject."""

    @property
    def irreversible(self) -> str:
        """Why nothing brings back what it ends, in a sentence that is said beforehand; "" when it can be undone."""
        return self.loss.reason if self.loss else ""

    @property
    def instead(self) -> str:
        """The reversible means that is offered beside an irreversible one; "" for none."""
        return self.loss.instead if self.loss else ""

    def named(self) -> tuple[str, ...]:
        """The ARNs of what it speaks of and leaves as it is, such as a policy that it attaches."""
        return ()

    def makes(self) -> tuple[str, ...]:
        """The ARNs of what it brings into being."""
        return ()

    def texts_made(self) -> Mapping[str, str]:
        """What the managed policies say that it brings into being, by ARN."""
        return {}

    def follow(self, earlier: Sequence[Operation]) -> None:  # noqa: B027
        """Learn from the operations that come before it in its set what the mirror does not hold yet. Asked before anything else."""

    def newborn(self) -> Image | None:
        """How the matter stands when an earlier change of the same set has just made what it is about; None: that cannot be."""
        return None

    def weigh(self, world: World) -> None:  # noqa: B027
        """Enter what the account is like afterwards, so that the engine can tell who gains and loses what; pure."""

    def risks(self) -> tuple[str, ...]:
        """Risks that the engine does not see in what principals can do; words of `iam.changes.risks`."""
        return ()

    def sending(self, call: Call) -> Mapping[str, Any]:
        """The parameters as they are sent: the one place where a sealed secret is opened. Raises RefusedError when it is not there any more."""
        return call.params

    def received(self, call: Call, response: Mapping[str, Any], *, change_id: UUID) -> dict[str, Any]:
        """What of an answer is kept with the change, such as {"ids": {arn: unique id}}; a secret goes to `iam.sealed` instead.

        It must do no harm when AWS has answered and the worker is lost right after it."""
        return {}

    def recall(self, results: Mapping[str, Any]) -> None:  # noqa: B027
        """Take up what was kept of earlier answers, before AWS is observed."""

    def satisfied(self, image: Image) -> bool:
        """Whether AWS is already as wanted."""
        return image == self.wanted()

    def may_go_on(self, image: Image, *, before: Image) -> bool:
        """Whether AWS is as it was planned on, or as some of the calls leave it."""
        return image == before

    def differing(self, image: Image, *, before: Image) -> str:
        """In a sentence, how AWS differs from what was planned on, and what to do about it; "" for the usual words."""
        return ""

    def is_done(self, call: Call, *, image: Image) -> bool:
        """Whether AWS shows that one of several calls was carried out, so that it is not made (again)."""
        return False

    def may_repeat(self, call: Call) -> bool:
        """Whether a call of which the answer was lost may be sent again."""
        return self.is_idempotent

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        """Whether it cannot be asked for while an open change of its subject, of this operation and params, stands: its twin."""
        return (slug, params) == (self.slug, self.params)

    def quota(self) -> Quota | None:
        """The quota of AWS that it draws on, as the mirror stands; None for none."""
        return None

    def sensitivity(self, effect: Effect) -> str:
        """How much care the approval takes: high when a policy that allows everything, or changes to IAM, is given."""
        risky = any({"everything", "iam"} & set(policy.flags) for policy in effect.gains)
        # What is taken away can open as well: a deny that goes.
        opens = any("denies" in policy.flags for policy in effect.loses)
        return HIGH if risky or opens else NORMAL

    def problems(self) -> list[str]:
        """What AWS's own service model finds wrong with the calls; empty is well."""
        return [
            problem
            for call in self.calls()
            for problem in writes.validate(call.service, call.operation, call.params)
        ]
