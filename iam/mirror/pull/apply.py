"""Applies what was read from an account in one transaction: upsert entities, load, redirect edges, sweep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from iam.mirror.models import Account, Edge, EdgeKind, Kind
from iam.mirror.pull import bulk, temporal
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.facts import FoundEntity, ObservationTimes, PartOutcome, SectionPart
from iam.mirror.pull.sections import KINDS
from iam.mirror.pull.states import load_states
from iam.mirror.pull.sweep import LossLimit, sweep
from iam.mirror.pull.temporal import EDGES, INLINE, TAGS, VERSIONS, Wanted, tag_rows
from iam.mirror.pull.upsert_entities import UpsertResult, is_newer, upsert_entities

Members = list[tuple[EntityRow, FoundEntity]]


def lock_account(account: Account) -> None:
    """Lock the account until the transaction ends, so that a pull and a re-read are applied one after the
    other.
    """
    rows = Account.objects.select_for_update(no_key=True).filter(pk=account.pk)
    if not rows.values_list("pk"):
        raise Account.DoesNotExist


@dataclass
class ApplyResult:
    """The results by section, and the upserted entities."""

    outcomes: dict[str, PartOutcome]
    roster: UpsertResult


def apply_parts(census: EntityCache, parts: list[SectionPart], *, limit: LossLimit) -> ApplyResult:
    """Make the mirror agree with the parts. Must be called in a transaction with the account locked."""
    outcomes = {part.section: PartOutcome() for part in parts}
    roster = upsert_entities(census, parts)
    for part in parts:
        _load(census, part, roster, outcomes[part.section])
    if roster.moved:
        _redirect(census, parts, roster)
    # Entities with unresolved references are decoded again by the next pull.
    for pk in roster.doubtful:
        census.by_pk[pk].source_digest = None
    bulk.execute_in("UPDATE mirror_entity SET source_digest = NULL WHERE id", [], roster.doubtful)
    for part in parts:
        sweep(census, part, roster, limit=limit, outcome=outcomes[part.section])
        kinds = KINDS[part.section]
        outcomes[part.section].count = sum(1 for known in census.of_kind(*kinds) if part.covers(known))
    return ApplyResult(outcomes, roster)


def _load(census: EntityCache, part: SectionPart, roster: UpsertResult, outcome: PartOutcome) -> None:
    members = roster.members.get(part.section, [])
    outcome.added = sum(1 for known, _ in members if known.id in roster.added and part.covers(known))
    if not members:
        return
    account_id, fresh = census.account.pk, roster.fresh
    after = _after(census, part.seen)
    outcome.changed |= load_states(members, account_id=account_id, seen=part.seen, fresh=fresh, after=after)
    for table, wanted in (
        (EDGES, _edges(members, roster, outcome)),
        (INLINE, _inline(members)),
        (VERSIONS, _versions(members)),
        (TAGS, _tags(members)),
    ):
        outcome.changed |= temporal.load(
            table, wanted=wanted, account_id=account_id, seen=part.seen, fresh=fresh, after=after
        )
    outcome.changed -= roster.added


def _after(census: EntityCache, seen: ObservationTimes) -> temporal.After:
    """Return a function for the last observation of an entity before this one: that of its section, or a
    later one of the entity or its owner alone.

    If an owner did not exist at an observation, neither did what belongs to it.
    """

    def after(pk: int) -> datetime | None:
        known = census.by_pk.get(pk)
        if known is None:
            return seen.after
        moments = [seen.after, known.reread_at]
        owner = None if known.owner_id is None else census.by_pk.get(known.owner_id)
        if owner is not None:
            moments.append(owner.detail_at or census.absent_at.get(owner.id))
        earlier = [moment for moment in moments if moment is not None and moment < seen.at]
        return max(earlier, default=None)

    return after


def _edges(members: Members, roster: UpsertResult, outcome: PartOutcome) -> Wanted:
    wanted: dict[int, dict[temporal.Key, temporal.Values]] = {}
    for known, aws_entity in members:
        if aws_entity.edges is None:
            continue
        rows = wanted[known.id] = {}
        for kind, ref in aws_entity.edges:
            target = roster.names.find(ref)
            if target is None:
                outcome.notes.append(
                    f"{aws_entity.name} names the {ref.kind} {ref.value}, which AWS did not list."
                )
                roster.doubtful.add(known.id)
            else:
                rows[kind, target.id] = ()
    return wanted


def _inline(members: Members) -> Wanted:
    return {
        known.id: {(name,): (document,) for name, document in aws_entity.inline.items()}
        for known, aws_entity in members
        if aws_entity.inline is not None
    }


def _versions(members: Members) -> Wanted:
    return {
        known.id: {(v.version_id,): (v.document, v.is_default, v.created_at) for v in aws_entity.versions}
        for known, aws_entity in members
        if aws_entity.versions is not None
    }


def _tags(members: Members) -> Wanted:
    return {
        known.id: tag_rows(aws_entity.tags) for known, aws_entity in members if aws_entity.tags is not None
    }


_POINTED = {Kind.GROUP: (EdgeKind.MEMBER,), Kind.POLICY: (EdgeKind.ATTACHED, EdgeKind.BOUNDARY)}


def _redirect(census: EntityCache, parts: Iterable[SectionPart], roster: UpsertResult) -> None:
    """Move edges of unchanged entities from the former holder of a name or ARN to the current one.

    AWS writes memberships by name and attachments by ARN. If a group or policy is recreated under the same
    name, the bytes of the entities that mention it don't change.
    """
    read = {known.id for known, _ in chain.from_iterable(roster.members.values())}
    for part in parts:
        rows = Edge.objects.filter(
            valid_to__isnull=True, target_id__in=roster.moved, observed_at__lte=part.seen.at
        )
        change = temporal.RowDifference()
        for pk, source, kind, target in rows.values_list("id", "source_id", "kind", "target_id"):
            known = census.by_pk.get(source)
            if (
                known is None
                or source in read
                or not part.covers(known)
                or is_newer(known, part.seen.at, is_direct=part.is_direct)
            ):
                continue
            if kind in _POINTED.get(Kind(roster.moved[target].kind), ()):
                change.closes.append(pk)
                change.inserts.append((source, (kind, roster.moved[target].id), ()))
        temporal.write(EDGES, change, account_id=census.account.pk, seen=part.seen)
