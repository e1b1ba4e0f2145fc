"""What an operation is, as data: which call it makes, what people read of it, how it is undone, and how
much care it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from iam.mirror.models import Kind

NORMAL: Final = "normal"
HIGH: Final = "high"

Requirement = Callable[[Any], str]
"""Asks an operation for what forbids it: a sentence, or "" for nothing."""

SERVICE_LINKED: Final = ":role/aws-service-role/"
"""What the ARN of a role has that is linked to an AWS service."""
OF_AWS: Final = ":iam::aws:"
"""What the ARN of a policy has that AWS manages."""


def refuse(arn_part: str, sentence: str) -> Requirement:
    """Refuses a subject whose ARN has this part."""

    def requirement(operation: Any) -> str:
        is_refused = arn_part in operation.named("arn")
        return str(operation.fill_in(sentence)) if is_refused else ""

    return requirement


@dataclass(frozen=True, slots=True)
class PermanentLoss:
    """What an operation ends for good: what it does in a few words, why nothing brings that back, and the
    reversible means beside it."""

    deed: str
    reason: str
    alternative: str


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of AWS that an operation draws on. In its texts, `used`, `after` and `limit` are numbers."""

    what: str
    """What is counted, before a number: "Groups afterwards"."""
    refusal: str
    """A sentence for when there would be more than AWS allows."""
    usual: int
    """AWS's own figure, where the account summary has not been read;
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    name: str = ""
    """As the account summary names it; "" where AWS raises it for nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSpec:
    """One write to AWS. A new operation is one of these; it needs a class of its own only where it behaves
    differently.

    In all texts "{name}" stands for the parameter `name` of the operation or, where it has none, for its
    property `name`.
    """

    slug: str
    """How rows name it, for ever: `resource.verb`."""
    family: str = ""
    """Its actions in `iam.aws.actions.WRITE`, with names in braces where it depends on the parameters; "" for
    what its slug begins with."""
    subject_kind: str = ""
    """The kind of entity that it is about: of itself what its slug begins with, where that is a kind; ""
    where the parameters tell it."""

    title: str = ""
    """What it does, as a heading; "" where the class words it."""
    no_op: str = ""
    """A sentence for when AWS is as wanted before anything was done; "" where the class words it."""
    counted: tuple[str, str]
    """What several of them do: a verb, and what they are about, with its plural after a "|" where an s is
    not enough."""
    notes: tuple[str, ...] = ()
    """Sentences on what becomes possible or stops, beside what the engine finds."""

    call: str = ""
    """The call, as AWS names it, or of several the one that is always made; "" where the class knows them.
    AWS describes it at
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CALL.html (EC2: AWSEC2/latest)."""
    service: str = "iam"
    parameters: Mapping[str, str | bool] = field(default_factory=dict)
    """AWS's parameter → the name of ours. One that ends with "?" is left out where it is empty; a boolean
    stands for itself."""
    sentence: str = ""
    """What the call does, for people."""
    state: Mapping[str, str | bool] = field(default_factory=dict)
    """What AWS shows afterwards: a fact (of an entity as a whole those of `facts.py`) → the name of ours
    that it gets; a boolean stands for itself."""
    is_idempotent: bool = True
    """A second call does no harm and changes nothing, so that a call of which the answer was lost may be
    repeated."""

    adds: bool = True
    """Whether what it gives or takes is there afterwards, where one class does both."""

    risks: tuple[str, ...] = ()
    """Risks that the engine does not see in what principals can do; words of `iam.changes.risks`."""
    weight: str = ""
    """How much care the approval takes, NORMAL or HIGH; "" where it depends on what is gained and lost."""
    quota: Quota | None = None
    requirements: tuple[Requirement, ...] = ()
    """What must hold before it can be requested."""

    inverse: str = ""
    """The slug of what undoes it: with the same parameters, or on the same entity where one is created or
    deleted; its own with what AWS showed before (`state`). "" where the class knows better, or nothing
    does."""
    loss: PermanentLoss | None = None
    """What nothing brings back; None where it can be undone."""
    undo_caveat: str = ""
    """What is other than before when it was undone, in a sentence; "" for nothing but dates."""

    def __post_init__(self) -> None:
        area = self.slug.partition(".")[0].replace("_", "-")
        if not self.family:
            object.__setattr__(self, "family", area)
        if not self.subject_kind and area in Kind:
            object.__setattr__(self, "subject_kind", area)

    def opposite(self, **rest: Any) -> Self:
        """What takes away again what this gives: the same but for the fields of its own."""
        return replace(self, adds=False, inverse=self.slug, **rest)

    def is_on(self, kind: str) -> bool:
        """Whether `of` makes it of an entity of this kind."""
        return self.subject_kind == kind
