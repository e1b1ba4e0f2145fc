"""What one read of AWS says about entities, before it is compared with the mirror."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from iam.mirror.models import Cause
from iam.mirror.pull.entity_cache import EntityRow


class EntityRef(NamedTuple):
    """How AWS refers to another entity of the account: by name, ARN or unique ID."""

    kind: str
    by: str
    value: str


def by_name(kind: str, name: str) -> EntityRef:
    """Refer to an entity by kind and name."""
    return EntityRef(kind, "name", name)


def by_arn(kind: str, arn: str) -> EntityRef:
    """Refer to an entity by kind and ARN."""
    return EntityRef(kind, "arn", arn)


def by_id(kind: str, aws_id: str) -> EntityRef:
    """Refer to an entity by kind and unique ID."""
    return EntityRef(kind, "id", aws_id)


class ReadPolicyVersion(NamedTuple):
    """A version of a managed policy; `document` is a digest."""

    version_id: str
    document: str
    is_default: bool
    created_at: datetime | None


@dataclass(slots=True)
class FoundEntity:
    """One entity as AWS describes it. Documents are digests of stored texts.

    `tags`, `edges`, `inline` and `versions` are None if the read says nothing about them, and empty if there
    are none. `keeps` names attributes that another section fills, and that this one leaves unchanged.
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
    """When something was observed, when it was last observed before, and what caused a difference, if that is
    known.

    `observed` is when AWS itself generated the data, if that was earlier, as with the credential report.
    """

    at: datetime
    after: datetime | None
    cause_kind: str = ""
    cause_id: UUID | None = None
    observed: datetime | None = None

    @classmethod
    def after_change(cls, at: datetime, *, after: datetime | None, cause_id: UUID | None) -> Self:
        """The times of a read right after a Change; without one, the cause is unknown."""
        cause = Cause.CHANGE if cause_id else Cause.UNKNOWN
        return cls(at, after, cause_kind=cause.value, cause_id=cause_id)


@dataclass(slots=True)
class SectionPart:
    """A section's part of a read that is applied in one transaction.

    `found` are the entities to compare; `unchanged` are (kind, unique ID) of those with unchanged bytes.
    `covers` tests whether the part covers an entity: covered entities that were not seen no longer exist, if
    `is_whole`. A part that covers only some of a section's entities has the size of the whole section
    (`whole_size`), and how many of them have ended before in this pull (`ended_before`). `is_direct` marks
    the read of a single entity.
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
    """The result of applying a part: `changed` are primary keys of entities, `count` is the number of
    entities in the section now.
    """

    count: int = 0
    added: int = 0
    ended: int = 0
    changed: set[int] = field(default_factory=set)
    held: str = ""
    notes: list[str] = field(default_factory=list)
