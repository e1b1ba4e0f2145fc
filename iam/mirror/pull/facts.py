"""What one reading of AWS says about entities, before it is compared with what the mirror knows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from iam.mirror.models import Cause
from iam.mirror.pull.entity_cache import EntityRow


class EntityRef(NamedTuple):
    """How AWS points to another entity of the account: by name, by ARN or by unique id."""

    kind: str
    by: str
    value: str


def by_name(kind: str, name: str) -> EntityRef:
    """The entity of a kind with this name."""
    return EntityRef(kind, "name", name)


def by_arn(kind: str, arn: str) -> EntityRef:
    """The entity of a kind with this ARN."""
    return EntityRef(kind, "arn", arn)


def by_id(kind: str, aws_id: str) -> EntityRef:
    """The entity of a kind with this unique id."""
    return EntityRef(kind, "id", aws_id)


class ReadPolicyVersion(NamedTuple):
    """A version of a managed policy; `document` is a digest."""

    version_id: str
    document: str
    is_default: bool
    created_at: datetime | None


@dataclass(slots=True)
class FoundEntity:
    """One entity as AWS describes it. Documents are digests of interned texts.

    `tags`, `edges`, `inline` and `versions` are None where the reading says nothing about them, and empty
    where it says that there are none. `keeps` names attributes that another section fills in and that this
    one leaves alone.
    """

    kind: str
    aws_id: str
    name: str
    arn: str = ""
    path: str = "/"
    created_at: datetime | None = None
    category: str = ""
    document: str | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    keeps: tuple[str, ...] = ()
    source_digest: bytes | None = None
    owner: EntityRef | None = None
    tags: dict[str, str] | None = None
    edges: tuple[tuple[str, EntityRef], ...] | None = None
    inline: dict[str, str] | None = None
    versions: tuple[ReadPolicyVersion, ...] | None = None


class ObservationTimes(NamedTuple):
    """When something was observed, when it was observed before, and what caused a difference, if that is
    known.

    `observed` is when AWS itself made what was read, if that was earlier, as with the credential report.
    """

    at: datetime
    after: datetime | None
    cause_kind: str = ""
    cause_id: UUID | None = None
    observed: datetime | None = None

    @classmethod
    def after_change(cls, at: datetime, *, after: datetime | None, cause_id: UUID | None) -> Self:
        """Of what is read straight after a Change; without one, the cause is unknown."""
        cause = Cause.CHANGE if cause_id else Cause.UNKNOWN
        return cls(at, after, cause_kind=cause.value, cause_id=cause_id)


@dataclass(slots=True)
class SectionPart:
    """A section's share of a reading that is applied in one transaction.

    `found` are the entities to compare; `unchanged` (kind, unique id) those whose bytes are as known.
    `covers` tells which entities the section speaks of: those of them that were not seen are gone, if
    `is_whole`. A part that covers some of a section's entities only, gives the size of the whole and how many
    of it have ended before in this pull. `is_direct` marks the reading of one entity alone.
    """

    section: str
    seen: ObservationTimes
    found: list[FoundEntity]
    covers: Callable[[EntityRow], bool]
    unchanged: Collection[tuple[str, str]] = ()
    is_whole: bool = True
    whole_size: int | None = None
    ended_before: int = 0
    is_direct: bool = False


@dataclass(slots=True)
class PartOutcome:
    """What applying a part did; `changed` holds entity ids, `count` is how many entities the section
    has now.
    """

    count: int = 0
    added: int = 0
    ended: int = 0
    changed: set[int] = field(default_factory=set)
    held: str = ""
    notes: list[str] = field(default_factory=list)
