"""Describes an operation as data: its call, its texts, how it is undone, and how sensitive it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from iam.mirror.models import Kind

NORMAL: Final = "normal"
HIGH: Final = "high"

Requirement = Callable[[Any], str]
"""Returns why an operation can't be requested, as a sentence, or ""."""

SERVICE_LINKED: Final = ":role/aws-service-role/"
"""Part of the ARN of every service-linked role."""
OF_AWS: Final = ":iam::aws:"
"""Part of the ARN of every AWS managed policy."""


def refuse(arn_part: str, sentence: str) -> Requirement:
    """Return a requirement that refuses a subject whose ARN contains this part."""

    def requirement(operation: Any) -> str:
        is_refused = arn_part in operation.named("arn")
        return str(operation.fill_in(sentence)) if is_refused else ""

    return requirement


@dataclass(frozen=True, slots=True)
class PermanentLoss:
    """What an operation removes permanently: what it does in a few words, why that can't be restored, and a
    reversible alternative.
    """

    deed: str
    reason: str
    alternative: str


@dataclass(frozen=True, slots=True)
class Quota:
    """An AWS quota that an operation uses. In its texts, `used`, `after` and `limit` are numbers."""

    what: str
    """The label of the count: "Groups afterwards"."""
    refusal: str
    """A sentence for when the quota would be exceeded."""
    usual: int
    """AWS's default quota, used if the account summary was not synced;
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    name: str = ""
    """Its name in the account summary; "" if AWS doesn't raise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSpec:
    """One write to AWS. A new operation is a new spec; it needs its own class only if it behaves differently.

    In all texts, "{name}" stands for the operation's parameter `name` or, if there is none, its property
    `name`.
    """

    slug: str
    """The operation in stored rows, so it never changes: `resource.verb`."""
    family: str = ""
    """Its actions in `iam.aws.actions.WRITE`, with parameters in braces if it depends on them; "" for the
    part of the slug before the dot.
    """
    subject_kind: str = ""
    """The kind of its subject; "" for the part of the slug before the dot if that is a kind, else the
    parameters tell it.
    """

    title: str = ""
    """What it does, as a heading; "" if the class provides it."""
    no_op: str = ""
    """A sentence for when AWS already has the desired state before anything is done; "" if the class provides
    it.
    """
    counted: tuple[str, str]
    """How several of them are counted: a verb and a noun, with its plural after "|" unless it only
    adds an s.
    """
    notes: tuple[str, ...] = ()
    """Sentences on what becomes possible or stops working, in addition to what the engine finds."""

    call: str = ""
    """The call as AWS names it, of several the one that is always made; "" if the class provides the calls.

    AWS documents it at https://docs.aws.amazon.com/IAM/latest/APIReference/API_CALL.html (EC2:
    AWSEC2/latest).
    """
    service: str = "iam"
    parameters: Mapping[str, str | bool] = field(default_factory=dict)
    """AWS's parameter → the operation's parameter or property. One that ends with "?" is omitted if it is
    empty; a boolean is sent as is.
    """
    sentence: str = ""
    """What the call does, for people."""
    state: Mapping[str, str | bool] = field(default_factory=dict)
    """What AWS shows afterwards: a fact (for a whole entity one of `facts.py`) → the parameter or property
    with its value; a boolean stands for itself.
    """
    is_idempotent: bool = True
    """True if a second call is harmless and changes nothing, so that a call whose response was lost may be
    repeated.
    """

    adds: bool = True
    """False if it takes away what another operation gives."""

    risks: tuple[str, ...] = ()
    """Risks that the engine doesn't see in permissions; values of `iam.changes.risks`."""
    weight: str = ""
    """The sensitivity, NORMAL or HIGH; "" if it depends on what is gained and lost."""
    quota: Quota | None = None
    requirements: tuple[Requirement, ...] = ()
    """What must be fulfilled before it can be requested."""

    inverse: str = ""
    """The slug of the operation that undoes it, with the same parameters, or on the same entity for creation
    and deletion. Its own slug: the same operation with what AWS showed before (`state`). "" if the class
    provides it, or nothing undoes it.
    """
    loss: PermanentLoss | None = None
    """What can't be restored; None if it can be undone."""
    undo_caveat: str = ""
    """What differs after it was undone, as a sentence; "" if only dates do."""

    def __post_init__(self) -> None:
        area = self.slug.partition(".")[0].replace("_", "-")
        if not self.family:
            object.__setattr__(self, "family", area)
        if not self.subject_kind and area in Kind:
            object.__setattr__(self, "subject_kind", area)

    def opposite(self, **rest: Any) -> Self:
        """Return the operation that takes away what this one gives; `rest` are the fields that differ."""
        return replace(self, adds=False, inverse=self.slug, **rest)

    def is_on(self, kind: str) -> bool:
        """True if `Operation.of` can create it for an entity of this kind."""
        return self.subject_kind == kind
