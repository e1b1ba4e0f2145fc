"""Brings the ledger and the state of grants in line with their changes. Idempotent; a scheduled task repeats
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, IntegerField, OuterRef, Q, QuerySet, UUIDField
from django.db.models.functions import Coalesce

from iam.access.grants.models import (
    FINAL_STATES,
    GIVING,
    Grant,
    GrantAct,
    GrantPart,
    GrantState,
    LedgerEntry,
    PermissionSort,
)
from iam.access.grants.services.ledger_reasons import give_back, same_permission
from iam.access.grants.services.notifications import tell_began, tell_ended
from iam.access.grants.services.requests import record_act
from iam.access.grants.services.restore import given_again
from iam.changes.models import OF_GRANT, OPEN, RUNNING, Change, ChangeState
from iam.changes.operations.managed_policy import CreatePolicy
from iam.changes.operations.spec import OF_AWS
from iam.changes.services.requests import ANSWER_WITHIN
from iam.compiled_queries import CompiledQuery
from iam.journal.services import record
from iam.mirror.models import Entity
from iam.prepared_statements import QueryParam

S = ChangeState
BATCH: Final = 500
_CLOSED = {S.REJECTED: GrantState.REJECTED, S.EXPIRED: GrantState.EXPIRED, S.CANCELLED: GrantState.WITHDRAWN}


def settle(grant: Grant, *, lane: int | None = None) -> Grant:
    """Update the ledger, the parts and the grant from their changes, and return the grant.

    `lane` restricts this to one part.
    """
    with transaction.atomic():
        locked_grant = Grant.objects.select_for_update().get(pk=grant.pk)
        parts = locked_grant.parts.select_related(
            "account", "change_set", "retry_set", "extending_set", "ending_set"
        ).order_by("lane")
        for part in parts if lane is None else parts.filter(lane=lane):
            _settle_part(part)
        locked_grant.refresh_from_db()
        _settle_whole(locked_grant)
    return locked_grant


def settle_open(*, older_than: timedelta = timedelta(seconds=20)) -> int:
    """Settle grants that no change will settle, because a handler was missed, and approved grants that wait
    for a worker.

    Returns their number. One query if there are none.
    """
    before = datetime.now(tz=UTC) - older_than
    of_grant = Q(change_set__cause_id=OuterRef("pk"), change_set__cause_kind__startswith=OF_GRANT)
    on_the_way = Grant.objects.filter(
        Q(state__in=[GrantState.WAITING, GrantState.APPLYING, GrantState.ENDING])
        | Q(extends_to__isnull=False)
    )
    missed = ~Exists(Change.objects.filter(of_grant, state__in=OPEN)) & Q(created_at__lt=before)
    approved = (
        Q(state=GrantState.WAITING)
        & Exists(Change.objects.filter(of_grant, state__in=RUNNING))
        & ~Exists(Change.objects.filter(of_grant, state__in=(S.AWAITING, S.DRAFT)))
    )
    grants = list(on_the_way.filter(missed | approved).order_by("created_at")[:BATCH])
    for grant in grants:
        settle(grant)
    return len(grants)


def _settle_part(part: GrantPart) -> None:
    entries = list(part.entries.select_related("change"))
    for entry in entries:
        _begin(entry)
    if part.ending_set_id is not None:
        _end_entries(part)
    if part.extending_set_id is not None:
        _follow_extension(part)
    state = _state_of(part)
    if state != part.state:
        part.state = state
        part.ended_at = _ended_at(part) if state == GrantState.ENDED else None
        part.save(update_fields=["state", "ended_at"])


def _follow_extension(part: GrantPart) -> None:
    """Apply a requested end date once all its changes in this part are applied; drop it if one of them failed
    or was closed.
    """
    assert part.extending_set is not None
    states = {
        S(state)
        for state in part.extending_set.changes.filter(lane=part.lane).values_list("state", flat=True)
    }
    if states & {S.DRAFT, S.AWAITING, *RUNNING}:
        return
    if states == {S.APPLIED}:
        _extended(part.grant_id)
    elif states & {S.FAILED, S.UNKNOWN}:
        part.trouble = (
            "The extension was approved but failed here, so the previous end date applies. Extend it again."
        )
    part.extending_set = None
    part.save(update_fields=["extending_set", "trouble"])
    if not GrantPart.objects.filter(grant=part.grant_id, extending_set__isnull=False).exists():
        Grant.objects.filter(pk=part.grant_id).update(extends_to=None)


def _extended(grant_id: UUID) -> None:
    grant = Grant.objects.get(pk=grant_id)
    if grant.extends_to is None or (grant.ends_at and grant.extends_to <= grant.ends_at):
        return
    grant.terms = {**grant.terms, "until": grant.extends_to.isoformat(), "lasts": 0}
    grant.ends_at, grant.warned_for = grant.extends_to, None
    grant.save(update_fields=["terms", "ends_at", "warned_for"])
    record_act(grant, act=GrantAct.RENEWED, actor=None, reason="")


def _ended_at(part: GrantPart) -> datetime:
    ends = [at for at in part.entries.values_list("until", flat=True) if at]
    return max(ends, default=datetime.now(tz=UTC))


def _begin(entry: LedgerEntry) -> None:
    """Begin a ledger entry at the time its change was applied.

    A permission that existed without any grant is marked, so that it stays when the grant ends.
    """
    change = entry.change
    if entry.since is not None or entry.until is not None or change is None or change.state != S.APPLIED:
        return
    if entry.entity_id is None:
        entry.entity_id = entity_of(entry.account_id, entry.holder_arn)
    if (
        entry.target_entity_id is None
        and entry.sort == PermissionSort.ATTACHED
        and OF_AWS not in entry.target
    ):
        entry.target_entity_id = entity_of(entry.account_id, entry.target)
    # A policy that an earlier grant created exists whatever the result of this change, which only attaches
    # it.
    is_shared = entry.sort == PermissionSort.POLICY and change.operation != CreatePolicy.spec.slug
    reasons = _reasons_before(entry, change) if change.already_so or is_shared else []
    if change.already_so or is_shared:
        entry.stood_before = all(entry.stood_before for entry in reasons) and not (is_shared and not reasons)
    entry.since = change.ended_at or datetime.now(tz=UTC)
    # Another process may begin this entry while it begins one of its own.
    LedgerEntry.objects.filter(pk=entry.pk, since__isnull=True).update(
        since=entry.since,
        stood_before=entry.stood_before,
        entity=entry.entity_id,
        target_entity=entry.target_entity_id,
    )
    for ledger_entry in reasons:
        if ledger_entry.until is not None:
            give_back(ledger_entry)


def _reasons_before(entry: LedgerEntry, change: Change) -> list[LedgerEntry]:
    """Other reasons for a permission that the change found in place, including entries that a missed handler
    has not begun yet.
    """
    others = same_permission(entry).exclude(pk=entry.pk).select_related("change", "ended_by", "part__grant")
    others = others.filter(Q(until__isnull=True) | Q(until__gte=change.ended_at))
    missed = others.filter(since__isnull=True, until__isnull=True, change__state=S.APPLIED)
    for other in missed.order_by("change__ended_at", "pk"):
        assert other.change is not None
        if (other.change.ended_at, other.pk) < (change.ended_at, entry.pk):
            _begin(other)
    return list(others.filter(since__isnull=False))


def entity_of(account_id: int, arn: str) -> int | None:
    """The primary key of the entity that has this ARN now, or None."""
    living = Entity.objects.filter(account=account_id, arn=arn, gone_at__isnull=True)
    return living.values_list("pk", flat=True).first()


def _end_entries(part: GrantPart) -> None:
    """End ledger entries whose removal was confirmed."""
    gone = part.entries.filter(until__isnull=True, ended_by__state=S.APPLIED).select_related(
        "ended_by", "part__grant"
    )
    for entry in gone:
        assert entry.ended_by is not None
        entry.until = entry.ended_by.ended_at
        entry.save(update_fields=["until"])
        give_back(entry)


def open_entries(part: GrantPart) -> QuerySet[LedgerEntry]:
    """The ledger entries of a part that are in force, or whose change has an unknown outcome."""
    stands = Q(since__isnull=False) | Q(change__state=S.UNKNOWN)
    return part.entries.filter(stands, until__isnull=True)


def is_stuck(part: GrantPart) -> bool:
    """True if something remains to be removed and no change is in progress."""
    if part.ending_set is None:
        return part.state == GrantState.ENDING
    if part.ending_set.changes.filter(lane=part.lane, state__in=OPEN).exists():
        return False
    return open_entries(part).exists()


def _state_of(part: GrantPart) -> GrantState:
    if part.ending_set_id is not None:
        return _ending_state(part)
    if part.state in (GrantState.ENDING, GrantState.ENDED):
        return GrantState(part.state)
    states = {S(change.state) for change in giving_changes(part)}
    if S.AWAITING in states or S.DRAFT in states:
        return GrantState.WAITING
    if states & set(RUNNING):
        return GrantState.APPLYING
    if states == {S.APPLIED}:
        return _standing_state(part)
    if S.APPLIED in states or S.UNKNOWN in states:
        return GrantState.PARTLY
    if S.FAILED in states:
        return GrantState.FAILED
    return next(
        (_CLOSED[state] for state in (S.REJECTED, S.EXPIRED, S.CANCELLED) if state in states),
        GrantState.FAILED,
    )


def giving_changes(part: GrantPart) -> list[Change]:
    """The changes that give the part's access; failed ones are replaced by their newest retry."""
    first = list(
        part.change_set.changes.filter(lane=part.lane).select_related("account").order_by("position")
    )
    if part.retry_set is None:
        return first
    again = part.retry_set.changes.filter(lane=part.lane).select_related("account").order_by("position")
    return [change for change in first if change.state == S.APPLIED] + list(again)


def failed_changes(part: GrantPart) -> list[Change]:
    """The approved changes of the part that failed or were cancelled and can be retried."""
    changes = giving_changes(part)
    return [
        change
        for change in changes
        if change.state in (S.FAILED, S.CANCELLED) and change.queued_at is not None
    ]


def approved_lately() -> Q:
    """A filter for changes that were approved, or are scheduled, recently enough to be applied. Older ones
    are not retried.
    """
    oldest = datetime.now(tz=UTC) - ANSWER_WITHIN
    return Q(queued_at__gt=oldest) | Q(queued_at__isnull=False, not_before__gt=oldest)


def can_be_tried(grant: Grant) -> bool:
    """True if a failed change or removal of the grant can be retried. Two queries, for any number of
    accounts.
    """
    giving = Change.objects.filter(
        change_set=Coalesce(OuterRef("retry_set"), OuterRef("change_set")),
        lane=OuterRef("lane"),
        state__in=[S.FAILED, S.CANCELLED],
        queued_at__isnull=False,
    )
    taking = Change.objects.filter(change_set=OuterRef("ending_set"), lane=OuterRef("lane"), state__in=OPEN)
    approved = Change.objects.filter(approved_lately(), change_set=OuterRef("change_set"))
    failed = grant.parts.filter(
        Exists(giving), Exists(approved), state__in=[GrantState.PARTLY, GrantState.FAILED]
    )
    stuck = grant.parts.filter(~Exists(taking), state=GrantState.ENDING)
    is_over = grant.ends_at is not None and grant.ends_at <= datetime.now(tz=UTC)
    return (not is_over and failed.exists()) or stuck.exists()


def _standing_state(part: GrantPart) -> GrantState:
    """The state of a part whose changes are all applied: some may have been reverted since, or the end
    undone.

    For a permission with several entries, the newest counts.
    """
    rows = part.entries.order_by("pk").values_list("holder_arn", "sort", "target", "until")
    newest = {(holder, sort, target): until for holder, sort, target, until in rows}
    over = {until is None for until in newest.values()}
    if over <= {True}:
        return GrantState.ACTIVE
    return GrantState.PARTLY if True in over else GrantState.ENDED


def _ending_state(part: GrantPart) -> GrantState:
    assert part.ending_set is not None
    left = part.ending_set.changes.filter(lane=part.lane).exclude(state=S.APPLIED)
    return GrantState.ENDING if left.exists() or open_entries(part).exists() else GrantState.ENDED


def _settle_whole(grant: Grant) -> None:
    rows = list(grant.parts.values_list("state", "ended_at"))
    state = _whole_state([GrantState(state) for state, _ in rows])
    ends = [at for _, at in rows if at]
    values = {
        "state": state,
        "begins_at": grant.begins_at or _begun_at(grant),
        "ended_at": max(ends) if ends and state == GrantState.ENDED else None,
    }
    changed = {name: value for name, value in values.items() if getattr(grant, name) != value}
    if not changed:
        return
    before = GrantState(grant.state)
    for name, value in changed.items():
        setattr(grant, name, value)
    if "state" in changed:
        note_state(grant, before=before)
    grant.save(update_fields=list(changed))
    if changed.get("state") == GrantState.ENDED:
        tell_ended(grant)
    if changed.get("state") == GrantState.ACTIVE or (
        changed.get("state") == GrantState.PARTLY and before not in GIVING
    ):
        tell_began(grant)


def note_state(grant: Grant, *, before: GrantState) -> None:
    """Record a change of the grant's state in the journal."""
    record(
        kind="grant.state",
        actor=None,
        subject=grant.title,
        data={"grant": grant.pk, "reference": grant.reference, "from": before, "to": GrantState(grant.state)},
    )


def _begun_at(grant: Grant) -> datetime | None:
    """The earliest time at which one of the requested changes was queued."""
    sets = grant.parts.values("change_set")
    queued = Change.objects.filter(change_set__in=sets, queued_at__isnull=False).order_by("queued_at")
    return queued.values_list("queued_at", flat=True).first()


def _whole_state(states: Sequence[GrantState]) -> GrantState:
    """The state of a grant from those of its parts: unfinished states first, then active, then final ones."""
    part_states = set(states)
    for state in (GrantState.WAITING, GrantState.APPLYING, GrantState.ENDING):
        if state in part_states:
            return state
    if part_states & set(GIVING):
        return GrantState.ACTIVE if part_states == {GrantState.ACTIVE} else GrantState.PARTLY
    return next(state for state in FINAL_STATES if state in part_states)


def _about() -> QuerySet[GrantPart, tuple[Any, ...]]:
    """A query for the parts that a change belongs to, by change set and lane."""
    sets = Q()
    for name in ("change_set", "retry_set", "extending_set", "ending_set"):
        sets |= Q(**{name: QueryParam("change_set", UUIDField())})
    return GrantPart.objects.filter(sets, lane=QueryParam("lane", IntegerField())).values_list("pk")


_ABOUT = CompiledQuery(_about)


def change_ended(change: Change) -> None:
    """Settle the part that an ended change belongs to (a handler of `iam.changes.handlers`)."""
    if change.reverts_id is not None and change.state == S.APPLIED:
        _undone(change)
    if not change.change_set.cause_kind:
        return
    about = [pk for (pk,) in _ABOUT.rows(change_set=change.change_set_id, lane=change.lane)]
    for part in GrantPart.objects.filter(pk__in=about).select_related("grant") if about else ():
        settle(part.grant, lane=part.lane)


def _undone(change: Change) -> None:
    """Update the ledger after a change was reverted: either access was removed, or an end was undone."""
    entries = LedgerEntry.objects.filter(change=change.reverts_id)
    entries.filter(since__isnull=False, until__isnull=True).update(until=change.ended_at)
    about = GrantPart.objects.filter(entries__in=entries).select_related("grant").distinct()
    for part in [*about, *given_again(change).select_related("grant")]:
        settle(part.grant, lane=part.lane)
