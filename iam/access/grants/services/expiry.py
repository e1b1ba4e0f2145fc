"""End grants: take away what nothing else justifies, at their end or before it; never what was there before,
or what another grant needs.
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
"""How long after an end that did not go through it is tried again by itself."""


def end_grant(grant: Grant, *, actor: Viewer, reason: str) -> Grant:
    """End it now, in all accounts. Needs no approval: anyone who approved it agreed to its end. Raises
    RefusedError.
    """
    if why := may_end(grant, viewer=actor):
        raise RefusedError(why)
    reason = reason.strip()
    if not reason:
        raise RefusedError("Enter a reason. The people with access and auditors read it.")
    return _end(grant, actor=actor, reason=reason, act=GrantAct.ENDED)


def end_due_grants(*, now: datetime | None = None) -> int:
    """End what has run out, and try again where an end did not go through. Returns how many were looked
    at.
    """
    moment = now or datetime.now(tz=UTC)
    due = Grant.objects.filter(ends_at__lte=moment).order_by("ends_at")
    giving = due.filter(state__in=GIVING)[:BATCH]
    # What one account does not answer keeps nobody's access alive in the others.
    applying = due.filter(state=GrantState.APPLYING)[:BATCH]
    ending_parts = GrantPart.objects.filter(state=GrantState.ENDING)
    # In any order, so that many that cannot be ended keep none from it that can.
    ending = Grant.objects.filter(pk__in=ending_parts.values("grant")).order_by("?")[:BATCH]
    stuck = [grant for grant in ending if _has_stuck(grant, moment)]
    due_grants = {grant.pk: grant for grant in (*giving, *applying, *stuck)}
    for grant in due_grants.values():
        with suppress(RefusedError):
            # Somebody else was quicker.
            _end(grant, actor=None, reason="The end date was reached.", act=GrantAct.RAN_OUT)
    return len(due_grants)


def close_overdue(*, now: datetime | None = None) -> int:
    """Close requests whose end came before their approval. Returns how many there were."""
    moment = now or datetime.now(tz=UTC)
    overdue = Grant.objects.filter(state=GrantState.WAITING, planned_end__lte=moment).order_by("planned_end")
    # What lasts some time from its approval on has no end yet.
    grants = list(overdue.filter(terms__lasts=0)[:BATCH])
    for grant in grants:
        sets = grant.parts.values("change_set")
        waiting = Change.objects.filter(change_set__in=sets, state=ChangeState.AWAITING)
        parts = list(waiting.select_related("account", "change_set").order_by("position"))
        end_all(parts, to=ChangeState.EXPIRED, actor=None, note="The end date passed before approval.")
        settle(grant)
    return len(grants)


def try_end_again(part: GrantPart, *, actor: Viewer) -> Grant:
    """Try the end of one part again, where it did not go through. Raises RefusedError."""
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
    """Whether the end was begun before, and is only tried again."""
    acts = [GrantAct.ENDED, GrantAct.RAN_OUT, GrantAct.RETURNED]
    newest = grant.versions.filter(act__in=acts).order_by("-number").values_list("act", flat=True).first()
    return newest in (GrantAct.ENDED, GrantAct.RAN_OUT)


def _changes_of(parts: QuerySet[GrantPart] | Sequence[GrantPart]) -> QuerySet[Change]:
    """The changes that give something, or would let it last longer."""
    sets: set[UUID | None] = set()
    for part in parts:
        sets |= {part.change_set_id, part.retry_set_id, part.extending_set_id}
    return Change.objects.filter(change_set__in=sets - {None}).select_related("account")


def _call_off(grant: Grant, *, actor: Viewer | None, over: bool) -> None:
    """What would still give something, or let it last longer, and has not begun: nobody is to approve it, or
    carry it out, after the end.
    """
    to, note = ChangeState.CANCELLED, "The grant was ended."
    if over:
        to, note = ChangeState.EXPIRED, "The grant has ended."
    changes = _changes_of(grant.parts.all())
    waiting = changes.filter(state__in=[ChangeState.AWAITING, ChangeState.QUEUED])
    end_all(list(waiting.select_related("change_set").order_by("position")), to=to, actor=actor, note=note)


def _is_moving(part: GrantPart) -> bool:
    """Whether a worker gives something of it at this moment."""
    return _changes_of([part]).filter(lane=part.lane, state__in=IN_FLIGHT).exists()


def _has_stuck(grant: Grant, now: datetime) -> bool:
    """Whether something of its end is stuck for a while: AWS is not asked the same every few seconds."""
    parts = grant.parts.filter(state=GrantState.ENDING).select_related("ending_set")
    return any(
        is_stuck(part) and (part.ending_set is None or now - part.ending_set.created_at > RETRY_AFTER)
        for part in parts
    )


def _end_part(part: GrantPart, *, actor: Viewer | None, reason: str) -> bool:
    """Queue what takes its permissions away; where nothing is to be taken, its reasons are over at once.
    False: it could not be begun.
    """
    # First of all, so that of two grants that end together neither takes the other for a reason.
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
    """The key says after which end it comes, or of which reasons it is the first: two processes that saw the
    same have the same.
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
        # Another process has begun the end at the same time.
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
