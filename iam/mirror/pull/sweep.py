"""Ends the entities that a complete section no longer shows. Nothing is deleted, and an unusual loss is held
back until a person confirms it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from iam.mirror.models import Edge, Entity, Kind
from iam.mirror.pull import bulk, revisions, temporal
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.facts import ObservationTimes, PartOutcome, SectionPart
from iam.mirror.pull.sections import KINDS, LABELS, POLICIES
from iam.mirror.pull.upsert_entities import UpsertResult, is_newer

A_HANDFUL = 10
"""Up to this many endings are always applied, because small accounts can change by large percentages."""

_ENDS_WITH_OWNER = (
    Kind.ACCESS_KEY, Kind.SSH_KEY, Kind.SIGNING_CERTIFICATE, Kind.SERVICE_CREDENTIAL,
)  # fmt: skip
_VIRTUAL = ":mfa/"


@dataclass(frozen=True, slots=True)
class LossLimit:
    """The limit above which endings are unusual: more than `percent` of a section's entities at once, unless
    a person has accepted that.
    """

    percent: int
    is_accepted: bool = False

    def is_exceeded(self, *, ending: int, current: int) -> bool:
        """True if the endings must be held back."""
        return not self.is_accepted and ending > A_HANDFUL and ending * 100 > self.percent * current


def sweep(
    census: EntityCache, part: SectionPart, roster: UpsertResult, *, limit: LossLimit, outcome: PartOutcome
) -> None:
    """End the entities that the part covers and did not see, if it is whole; or hold all of that back."""
    if not part.is_whole:
        return
    covered = [known for known in census.of_kind(*KINDS[part.section]) if part.covers(known)]
    before = (
        sum(1 for known in covered if known.id not in roster.added)
        if part.whole_size is None
        else part.whole_size
    )
    missing = [
        known
        for known in covered
        if known.id not in roster.seen
        and not known.is_placeholder
        and not is_newer(known, part.seen.at, is_direct=part.is_direct)
    ]
    if missing and limit.is_exceeded(ending=part.ended_before + len(missing), current=before):
        outcome.held = (
            f"{part.ended_before + len(missing)} of {before} in “{LABELS[part.section]}” are missing from "
            "AWS’s answer. "
            "They are kept until someone confirms that they were deleted."
        )
        return
    roster.released.update(known.owner_id for known in missing if known.owner_id is not None)
    end(census, missing, seen=part.seen)
    outcome.ended = len(missing)
    if part.section == POLICIES:
        end(census, _unused_placeholders(census), seen=part.seen)


def end(census: EntityCache, gone: Collection[EntityRow], *, seen: ObservationTimes) -> None:
    """End entities with everything that belongs to them or points to them."""
    owners = {known.id for known in gone if known.kind == Kind.USER}
    owned = [
        known
        for known in census.of_kind(*_ENDS_WITH_OWNER, Kind.MFA_DEVICE)
        if known.owner_id in owners and _ends_with_owner(known)
    ]
    ended = {known.id: known for known in [*gone, *owned]}
    if not ended:
        return
    _distrust(ended)
    revisions.note_end(census.account.pk, ended)
    for table in temporal.OF_ENTITIES:
        temporal.close_of_owners(table, ended, seen=seen)
    temporal.close_of_owners(temporal.EDGES, ended, seen=seen, column="target_id")
    bulk.execute_in((f"UPDATE {Entity._meta.db_table} SET gone_at = %s WHERE id"), [seen.at], ended)  # noqa: S608
    for known in ended.values():
        census.forget(known)


def _distrust(ended: Collection[int]) -> None:
    """Have entities that still point to the ended ones decoded again next time, because another entity may
    have their name now.
    """
    for chunk in bulk.chunks(ended):
        sources = Edge.objects.filter(target_id__in=chunk, valid_to__isnull=True).values("source_id")
        Entity.objects.filter(pk__in=sources).update(source_digest=None)


def _ends_with_owner(known: EntityRow) -> bool:
    """True for credentials that end with their user. A virtual MFA device can outlive its user."""
    return known.kind in _ENDS_WITH_OWNER or (known.kind == Kind.MFA_DEVICE and _VIRTUAL not in known.aws_id)


def _unused_placeholders(census: EntityCache) -> list[EntityRow]:
    """Policies that are known only by ARN, and that nothing refers to any more."""
    placeholder_ids = [known.id for known in census.of_kind(Kind.POLICY) if known.is_placeholder]
    named = Edge.objects.filter(target_id=OuterRef("pk"), valid_to__isnull=True)
    unused = Entity.objects.filter(pk__in=placeholder_ids).exclude(Exists(named)).values_list("pk", flat=True)
    return [census.by_pk[pk] for pk in unused] if placeholder_ids else []
