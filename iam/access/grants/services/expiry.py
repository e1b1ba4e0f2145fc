"""Ends grants, at their end date or earlier.

Permissions that existed before the grant or that another grant needs are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from iam.access.grants.models import ENDING, GIVING, LIVING, Grant, GrantAct, GrantPart, GrantState
from iam.access.grants.services.reconcile import is_stuck, open_entries, settle
from iam.access.grants.services.requests import record_act
from iam.access.grants.services.revoke import RevokeSteps, removal_of
from iam.access.grants.services.rights import may_end
from iam.changes.errors import RefusedError
from iam.changes.models import IN_FLIGHT, Change, ChangeState
from iam.changes.services import SetCause, SetLane
from iam.changes.services.accepted_changes import queue_accepted
from iam.changes.states import end_all
from iam.guard import Viewer

BATCH: Final = 200
RETRY_AFTER: Final = timedelta(minutes=10)
"""How long after a failed removal it is retried automatically."""


def end_grant(grant: Grant, *, actor: Viewer, reason: str) -> Grant:
    """End a grant now, in all accounts. Needs no approval, because its end was approved with it. Raises
    RefusedError.
    """
    if why := may_end(grant, viewer=actor):
        raise RefusedError(why)
    reason = reason.strip()
    if not reason:
        raise RefusedError("Enter a reason. The people with access and auditors read it.")
    return _end(grant, actor=actor, reason=reason, act=GrantAct.ENDED)


def end_due_grants(*, now: datetime | None = None) -> int:
    """End grants whose end date has passed and retry failed removals. Returns how many it looked at."""
    moment = now or datetime.now(tz=UTC)
    due = Grant.objects.filter(ends_at__lte=moment).order_by("ends_at")
    giving = due.filter(state__in=GIVING)[:BATCH]
    # A part that is still being set up in one account must not keep access alive in the others.
    applying = due.filter(state=GrantState.APPLYING)[:BATCH]
    ending_parts = GrantPart.objects.filter(state=GrantState.ENDING)
    # Random order, so that many grants that can't be ended don't hold back those that can.
    ending = Grant.objects.filter(pk__in=ending_parts.values("grant")).order_by("?")[:BATCH]
    stuck = [grant for grant in ending if _has_stuck(grant, moment)]
    due_grants = {grant.pk: grant for grant in (*giving, *applying, *stuck)}
    for grant in due_grants.values():
        with suppress(RefusedError):
            # Another process ended it first.
            _end(grant, actor=None, reason="The end date was reached.", act=GrantAct.RAN_OUT)
    return len(due_grants)


def close_overdue(*, now: datetime | None = None) -> int:
    """Expire requests whose end date passed before approval. Returns their number."""
    moment = now or datetime.now(tz=UTC)
    overdue = Grant.objects.filter(state=GrantState.WAITING, planned_end__lte=moment).order_by("planned_end")
    # A grant with a duration has no end date before its approval.
    grants = list(overdue.filter(terms__lasts=0)[:BATCH])
    for grant in grants:
        sets = grant.parts.values("change_set")
        waiting = Change.objects.filter(change_set__in=sets, state=ChangeState.AWAITING)
        parts = list(waiting.prefetch_related("account", "change_set").order_by("position"))
        end_all(parts, to=ChangeState.EXPIRED, actor=None, note="The end date passed before approval.")
        settle(grant)
    return len(grants)


def try_end_again(part: GrantPart, *, actor: Viewer) -> Grant:
    """Retry the failed removal of one part. Raises RefusedError."""
    if not is_stuck(part):
        raise RefusedError("It is already being removed.")
    _end_part(part, actor=actor, reason="Retried")
    return settle(part.grant)


def _end(grant: Grant, *, actor: Viewer | None, reason: str, act: GrantAct) -> Grant:
    grant = settle(grant)
    if grant.state in LIVING:
        _call_off(grant, actor=actor, over=act == GrantAct.RAN_OUT)
        grant = settle(grant)
    parts = grant.parts.filter(state__in=[*GIVING, GrantState.APPLYING, GrantState.ENDING])
    begun = [
        _end_part(part, actor=actor, reason=reason)
        for part in parts.select_related("grant", "account", "change_set", "ending_set")
        if part.state != GrantState.ENDING or is_stuck(part)
    ]
    if not begun and grant.state in LIVING:
        raise RefusedError(
            f"{grant.reference} is {grant.get_state_display().lower()}: there is nothing to end."
        )
    if (any(begun) or not begun) and not _has_noted(grant):
        with transaction.atomic():
            record_act(grant, act=act, actor=actor, reason=reason)
    return settle(grant)


def _has_noted(grant: Grant) -> bool:
    """True if the end is already recorded, so that this is only a retry."""
    acts = [GrantAct.ENDED, GrantAct.RAN_OUT, GrantAct.RETURNED]
    newest = grant.versions.filter(act__in=acts).order_by("-number").values_list("act", flat=True).first()
    return newest in (GrantAct.ENDED, GrantAct.RAN_OUT)


def _changes_of(parts: QuerySet[GrantPart] | Sequence[GrantPart]) -> QuerySet[Change]:
    """The changes that give access or extend it."""
    sets: set[UUID | None] = set()
    for part in parts:
        sets |= {part.change_set_id, part.retry_set_id, part.extending_set_id}
    return Change.objects.filter(change_set__in=sets - {None}).select_related("account")


def _call_off(grant: Grant, *, actor: Viewer | None, over: bool) -> None:
    """Cancel changes that would give or extend access and have not begun, so that they are neither approved
    nor applied after the end.
    """
    to, note = ChangeState.CANCELLED, "The grant was ended."
    if over:
        to, note = ChangeState.EXPIRED, "The grant has ended."
    changes = _changes_of(grant.parts.all())
    waiting = changes.filter(state__in=[ChangeState.AWAITING, ChangeState.QUEUED])
    end_all(list(waiting.prefetch_related("change_set").order_by("position")), to=to, actor=actor, note=note)


def _is_moving(part: GrantPart) -> bool:
    """True if a worker is applying a change that gives access in this part."""
    return _changes_of([part]).filter(lane=part.lane, state__in=IN_FLIGHT).exists()


def _has_stuck(grant: Grant, now: datetime) -> bool:
    """True if a part's removal has been stuck for a while; the delay keeps AWS from being called every few
    seconds.
    """
    parts = grant.parts.filter(state=GrantState.ENDING).select_related("ending_set")
    return any(
        is_stuck(part) and (part.ending_set is None or now - part.ending_set.created_at > RETRY_AFTER)
        for part in parts
    )


def _end_part(part: GrantPart, *, actor: Viewer | None, reason: str) -> bool:
    """Queue the removal of the part's permissions; if nothing has to be removed, end its ledger entries at
    once.

    Returns False if the removal could not be queued.
    """
    # Save the state first: of two grants that end together, neither may count the other as a reason.
    part.state = GrantState.ENDING
    part.save(update_fields=["state"])
    if _is_moving(part):
        part.trouble = "Some of this access is being set up right now. It is removed right after."
        part.save(update_fields=["trouble"])
        return True
    removal = removal_of(
        list(open_entries(part).select_related("account", "part", "entity", "target_entity").order_by("pk"))
    )
    part.trouble = " ".join(removal.refused)[:1024]
    part.save(update_fields=["trouble"])
    part.entries.filter(pk__in=removal.over).update(until=datetime.now(tz=UTC))
    if not removal.operations:
        if not removal.refused:
            _is_over(part)
        return not removal.refused
    return _queue(part, removal, actor=actor, reason=reason)


def _queue(part: GrantPart, removal: RevokeSteps, *, actor: Viewer | None, reason: str) -> bool:
    """Queue the removal.

    The key names the previous end or the first ledger entry, so that two processes that saw the same state
    use the same key.
    """
    try:
        with transaction.atomic():
            changes = queue_accepted(
                removal.operations,
                with_set=part.change_set,
                actor=actor,
                reason=reason,
                title=f"End of {part.grant.reference}: {part.grant.title}",
                cause=SetCause(ENDING, part.grant_id),
                key=f"grant-end-{part.pk}-{part.ending_set_id or min(removal.taken_by)}",
                lanes=[SetLane(part.lane, branch) for branch in removal.branches],
            )
            for entry, place in removal.taken_by.items():
                part.entries.filter(pk=entry).update(ended_by=changes[place])
            part.ending_set = changes[0].change_set
            part.save(update_fields=["ending_set"])
    except IntegrityError:
        # Another process queued the removal at the same time.
        return False
    except RefusedError as refused:
        part.trouble = refused.message[:1024]
        part.save(update_fields=["trouble"])
        return False
    return True


def _is_over(part: GrantPart) -> None:
    now = datetime.now(tz=UTC)
    part.entries.filter(until__isnull=True).update(until=now)
    part.state, part.ended_at, part.trouble = GrantState.ENDED, now, ""
    part.save(update_fields=["state", "ended_at", "trouble"])
