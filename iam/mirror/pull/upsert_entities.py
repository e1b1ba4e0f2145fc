"""Gives every entity that was found its stable row: the current one, the one from before it was deleted, or a
new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from iam.mirror.display_names import searched_tags
from iam.mirror.models import Entity, Kind
from iam.mirror.pull import bulk, revisions
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.facts import EntityRef, FoundEntity, SectionPart, by_arn
from iam.search_words import folded

MAX_SEARCH_LENGTH = 2048
SETTLES_IN = timedelta(seconds=10)
"""IAM is eventually consistent: a bulk read that begins this soon after a re-read of a change may not show
the change yet.
"""


def is_newer(known: EntityRow, at: datetime, *, is_direct: bool = False) -> bool:
    """True if the entity was re-read after a read began, so that this read is outdated for it.

    `is_direct` is for the re-read of a single entity right after a change, for which `SETTLES_IN` doesn't
    apply.
    """
    if known.reread_at is None:
        return False
    return known.reread_at > at if is_direct else known.reread_at + SETTLES_IN > at


class EntityNames:
    """Finds entities by AWS's references. Entities that the current read has seen take precedence."""

    def __init__(self, census: EntityCache) -> None:
        self._census = census
        self._seen: dict[tuple[str, str, str], EntityRow] = {}

    def assign(self, known: EntityRow) -> None:
        """Make the entity's name and ARN refer to it from now on."""
        for by, value in (("name", known.name), ("arn", known.arn)):
            if self.find(EntityRef(known.kind, by, value)) is not known:
                self._seen[known.kind, by, value] = known

    def find(self, ref: EntityRef) -> EntityRow | None:
        """The entity, or None if the mirror does not have it."""
        if ref.by == "id":
            return self._census.current.get((ref.kind, ref.value))
        return self._seen.get(ref) or self._census.by_name.get(ref)


@dataclass
class UpsertResult:
    """The result of upserting, as primary keys of entities.

    `seen` were seen, `fresh` have no current rows, `added` are new or back. `moved` maps former holders of a
    name or ARN to the entity that has it now. `doubtful` refer to something unknown, and must be decoded
    again next time. `released` are former owners.
    """

    names: EntityNames
    seen: set[int] = field(default_factory=set)
    fresh: set[int] = field(default_factory=set)
    added: set[int] = field(default_factory=set)
    moved: dict[int, EntityRow] = field(default_factory=dict)
    doubtful: set[int] = field(default_factory=set)
    released: set[int] = field(default_factory=set)
    members: dict[str, list[tuple[EntityRow, FoundEntity]]] = field(default_factory=dict)


def upsert_entities(census: EntityCache, parts: list[SectionPart]) -> UpsertResult:
    """Insert new entities, update the stable rows of changed ones, and note everything that was seen."""
    roster = UpsertResult(names=EntityNames(census))
    for part in parts:
        for key in part.unchanged:
            known = census.current.get(key)
            if known is not None:
                roster.seen.add(known.id)
                roster.names.assign(known)
    for part in parts:
        _enrol_part(census, part, roster)
    for part in parts:
        part.found.extend(_placeholders(census, part, roster))
    return roster


def _enrol_part(census: EntityCache, part: SectionPart, roster: UpsertResult) -> None:
    members = roster.members.setdefault(part.section, [])
    past = census.past(
        (aws_entity.kind, aws_entity.aws_id)
        for aws_entity in part.found
        if (aws_entity.kind, aws_entity.aws_id) not in census.current
    )
    fresh: list[FoundEntity] = []
    returned: list[int] = []
    updates: list[tuple[EntityRow, FoundEntity]] = []
    for aws_entity in part.found:
        known = _matching(census, aws_entity) or past.get((aws_entity.kind, aws_entity.aws_id))
        if known is None:
            fresh.append(aws_entity)
            continue
        if known.gone_at is None:
            roster.seen.add(known.id)
        if is_newer(known, part.seen.at, is_direct=part.is_direct):
            continue
        if known.gone_at is not None:
            roster.fresh.add(known.id)
            roster.added.add(known.id)
            returned.append(known.id)
        updates.append((known, aws_entity))
    if returned:
        revisions.note_written(census.account.pk, returned)
    for known, aws_entity in _insert(census, fresh, roster, at=part.seen.at):
        members.append((known, aws_entity))
    _update(census, updates, roster)
    members.extend(updates)


def _matching(census: EntityCache, aws_entity: FoundEntity) -> EntityRow | None:
    known = census.current.get((aws_entity.kind, aws_entity.aws_id))
    if known is None and aws_entity.kind == Kind.POLICY:
        known = census.current.get((Kind.POLICY, aws_entity.arn))
    return known


def _placeholders(census: EntityCache, part: SectionPart, roster: UpsertResult) -> list[FoundEntity]:
    """Managed policies that are attached to something but that the response does not describe, such as AWS's
    own.
    """
    missing: dict[str, FoundEntity] = {}
    for _, aws_entity in roster.members[part.section]:
        for _, ref in aws_entity.edges or ():
            if ref.kind == Kind.POLICY and ref.by == "arn" and roster.names.find(ref) is None:
                missing.setdefault(ref.value, placeholder(ref.value))
    if not missing:
        return []
    members = roster.members[part.section]
    members.extend(_insert(census, list(missing.values()), roster, at=part.seen.at))
    return list(missing.values())


def placeholder(arn: str) -> FoundEntity:
    """A managed policy of which only the ARN is known."""
    parents, _, name = arn.partition(":policy/")[2].rpartition("/")
    path = f"/{parents}/" if parents else "/"
    category = "aws" if arn.split(":", 5)[4] == "aws" else "customer"
    return FoundEntity(
        kind=Kind.POLICY,
        aws_id=arn,
        name=name,
        arn=arn,
        path=path,
        category=category,
        attrs={"IsPlaceholder": True},
    )


def _insert(
    census: EntityCache, aws_entities: list[FoundEntity], roster: UpsertResult, *, at: datetime
) -> list[tuple[EntityRow, FoundEntity]]:
    entered: list[tuple[EntityRow, FoundEntity]] = []
    for pk, entity in zip(bulk.allocate_ids(Entity, len(aws_entities)), aws_entities, strict=True):
        known = EntityRow(pk, entity.kind, entity.aws_id, entity.name, entity.arn, entity.source_digest)
        known.owner_id = _owner(entity, roster.names)
        _note_move(entity, known, roster)
        census.add(known)
        roster.names.assign(known)
        roster.seen.add(pk)
        roster.fresh.add(pk)
        roster.added.add(pk)
        entered.append((known, entity))
    account_id = census.account.pk
    revision = revisions.next_revision(account_id) if entered else 0
    bulk.insert(
        Entity,
        columns=(
            "id",
            "account_id",
            "kind",
            "aws_id",
            "owner_id",
            "name",
            "arn",
            "search",
            "first_seen",
            "source_digest",
            "detail_gaps",
            "revision",
        ),
        rows=[
            (
                known.id,
                account_id,
                known.kind,
                known.aws_id,
                known.owner_id,
                known.name,
                known.arn,
                search_text(known, aws_entity.tags),
                at,
                known.source_digest,
                "",
                revision,
            )
            for known, aws_entity in entered
        ],
    )
    return entered


def search_text(known: EntityRow | Entity, tags: Mapping[str, str] | None = None) -> str:
    """The text that searches look through: name, ARN and unique ID, and the names and email addresses in a
    user's tags.
    """
    text = folded(f"{known.arn or known.name} {known.aws_id}")
    if known.kind != Kind.USER:
        return text
    return f"{text} {folded(searched_tags(tags))}".rstrip()[:MAX_SEARCH_LENGTH]


def _owner(aws_entity: FoundEntity, names: EntityNames) -> int | None:
    owner = names.find(aws_entity.owner) if aws_entity.owner else None
    return owner.id if owner else None


def _note_move(aws_entity: FoundEntity, known: EntityRow, roster: UpsertResult) -> None:
    """Remember whose name or ARN this entity has taken, because the bytes of entities that mention it did not
    change.
    """
    if aws_entity.kind == Kind.GROUP:
        mention = EntityRef(aws_entity.kind, "name", aws_entity.name)
    elif aws_entity.kind == Kind.POLICY:
        mention = EntityRef(aws_entity.kind, "arn", aws_entity.arn)
    else:
        return
    holder = roster.names.find(mention)
    if holder is not None and holder.id != known.id:
        roster.moved[holder.id] = known


def _update(
    census: EntityCache, updates: Iterable[tuple[EntityRow, FoundEntity]], roster: UpsertResult
) -> None:
    rows: list[tuple[Any, ...]] = []
    for known, aws_entity in updates:
        before = _stable(known)
        _note_move(aws_entity, known, roster)
        census.forget(known)
        known.aws_id, known.name, known.arn = aws_entity.aws_id, aws_entity.name, aws_entity.arn
        known.gone_at = None
        known.source_digest = aws_entity.source_digest
        if aws_entity.owner is not None or aws_entity.kind == Kind.MFA_DEVICE:
            owner_id = _owner(aws_entity, roster.names)
            # A virtual device can be reassigned or unassigned.
            if known.owner_id is not None and known.owner_id != owner_id:
                roster.released.add(known.owner_id)
            known.owner_id = owner_id
        census.add(known)
        roster.names.assign(known)
        roster.seen.add(known.id)
        if _stable(known) != before:
            rows.append((known.id, *_stable(known), search_text(known, aws_entity.tags)))
    columns = ("aws_id", "name", "arn", "source_digest", "owner_id", "gone_at", "search")
    bulk.update(Entity, key="id", columns=columns, rows=rows)


def _stable(known: EntityRow) -> tuple[Any, ...]:
    return known.aws_id, known.name, known.arn, known.source_digest, known.owner_id, known.gone_at


__all__ = [
    "EntityNames",
    "UpsertResult",
    "by_arn",
    "is_newer",
    "placeholder",
    "search_text",
    "upsert_entities",
]
