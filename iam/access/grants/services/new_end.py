"""Extends grants with a new approval, shortens them without one, retries failed changes and withdraws
requests.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from iam.access.grants.accepted_warnings import effect_blocks
from iam.access.grants.models import Grant, GrantAct, GrantPart, GrantState
from iam.access.grants.services.end_dates import moving, set_end, shorten_waiting
from iam.access.grants.services.expiry import end_grant, try_end_again
from iam.access.grants.services.large_requests import call_off
from iam.access.grants.services.reconcile import approved_lately, failed_changes, giving_changes, settle
from iam.access.grants.services.requests import record_act
from iam.access.grants.services.rights import (
    may_extend,
    may_retry,
    may_shorten,
    may_withdraw,
    waiting_extension,
)
from iam.access.grants.terms import MAX_DURATION, MAX_WHY, SHORTEST
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import OF_GRANT, Change, ChangeSet, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.services import SetCause, SetLane
from iam.changes.services.accepted_changes import queue_accepted
from iam.guard import Viewer
from iam.moments import moment_words

SHORTENING: Final = "grant-shorten"
"""The cause kind of a change set that brings an end date forward."""
A_MOMENT: Final = timedelta(minutes=1)
"""Dates are entered to the minute, so the current minute still counts as future."""


class WrongEndError(RefusedError):
    """Raised if the chosen end date is not possible for the grant."""


def extend_grant(
    grant: Grant,
    *,
    actor: Viewer,
    reason: str,
    idempotency_key: str,
    until: datetime | None = None,
    lasts: int = 0,
) -> Grant:
    """Request a later end date: `until`, or `lasts` seconds after the current end date.

    Needs approval like a new grant; until then nothing changes. Idempotent by key. A second extension is
    refused while one waits, because two end dates would conflict. Raises RefusedError.
    """
    if why := may_extend(grant, viewer=actor, again=True):
        raise RefusedError(why)
    assert grant.ends_at is not None
    end = _later(grant.ends_at, until=until, lasts=lasts)
    reason = _reason(reason, why="Enter a reason. The approver reads it.")
    lanes, operations = _extending(grant, end)
    if not operations:
        raise RefusedError("Nothing of this grant is left in AWS. Submit a new request.")
    planned = changes.plan_set(operations, viewer=actor, for_grant=True)
    accounts = [operation.account for operation in operations]
    with transaction.atomic():
        grant = Grant.objects.select_for_update().get(pk=grant.pk)
        written = changes.request_changes(
            planned,
            actor=actor,
            reason=reason,
            idempotency_key=f"extend-{grant.pk.hex}-{idempotency_key}",
            title=f"{grant.title}, until {moment_words(end)}",
            cause=SetCause(OF_GRANT, grant.pk),
            lanes=lanes,
            notes=_extension_notes(grant, end),
            summary=effect_blocks(grant.agreed, accounts=list(dict.fromkeys(accounts)), until=end),
        )
        if not _is_new(grant, written[0].change_set):
            return grant
        if why := waiting_extension(grant):
            raise RefusedError(why)
        grant.parts.filter(state__in=[GrantState.ACTIVE, GrantState.PARTLY]).update(
            extending_set=written[0].change_set
        )
        grant.extends_to = end
        grant.save(update_fields=["extends_to"])
        record_act(grant, act=GrantAct.EXTENDED, actor=actor, reason=f"Until {moment_words(end)}: {reason}")
    return grant


def _extension_notes(grant: Grant, end: datetime) -> list[str]:
    """The notes that the approver of an extension accepts."""
    sentences = (
        [f"Ends on {moment_words(end)} instead of {moment_words(grant.ends_at)}."] if grant.ends_at else []
    )
    return sentences + [
        part.plan["ends_only"] for part in grant.parts.order_by("lane") if part.plan.get("ends_only")
    ]


def _is_new(grant: Grant, group: ChangeSet) -> bool:
    return not grant.parts.filter(extending_set=group).exists()


def _later(now_ends: datetime, *, until: datetime | None, lasts: int) -> datetime:
    end = until or now_ends + timedelta(seconds=lasts)
    end = end.astimezone(UTC).replace(microsecond=0)
    if end <= now_ends:
        raise WrongEndError(f"It ends on {moment_words(now_ends)} already. Choose a later date.")
    if end > datetime.now(tz=UTC) + MAX_DURATION:
        raise WrongEndError("The longest duration is three years.")
    return end


def _reason(reason: str, *, why: str) -> str:
    reason = reason.strip()
    if not reason:
        raise RefusedError(why)
    if len(reason) > MAX_WHY:
        raise RefusedError(f"The reason has {len(reason)} characters. The limit is {MAX_WHY:,}.")
    return reason


def _extending(grant: Grant, end: datetime) -> tuple[list[SetLane], list[Operation]]:
    """The operations that write the later end date, with their lanes.

    A part whose permissions carry no end date repeats one of its changes, so that the extension still needs
    approval.
    """
    assert grant.ends_at is not None
    lanes: list[SetLane] = []
    operations: list[Operation] = []
    for part in grant.parts.filter(state__in=[GrantState.ACTIVE, GrantState.PARTLY]).order_by("lane"):
        ends = [operation for _, operation in moving(part, old=grant.ends_at, new=end)]
        ends = (
            ends
            or [_restored(change) for change in giving_changes(part) if change.state == ChangeState.APPLIED][
                :1
            ]
        )
        for branch, operation in enumerate(ends, start=1):
            lanes.append(SetLane(part.lane, branch))
            operations.append(operation)
    return lanes, operations


def _restored(change: Change) -> Operation:
    return restore(change.operation, account=change.account, params=change.params)


def shorten_grant(grant: Grant, *, until: datetime, actor: Viewer, reason: str) -> Grant:
    """Bring the end date forward. Needs no approval, because it gives less than was approved. Raises
    RefusedError.

    A waiting request gets the new end date, which the approver then sees.
    """
    if why := may_shorten(grant, viewer=actor):
        raise RefusedError(why)
    if grant.ends_at is not None and until >= grant.ends_at:
        raise WrongEndError(
            f"It ends on {moment_words(grant.ends_at)} already. A later end needs a new approval: extend it "
            "instead."
        )
    if until < datetime.now(tz=UTC) - A_MOMENT:
        raise WrongEndError("This moment has passed. Choose a later one, or end the grant now.")
    if grant.state == GrantState.WAITING:
        with transaction.atomic():
            shorten_waiting(grant.pk, until, actor)
        return settle(grant)
    reason = _reason(reason, why="Enter a reason. The people with access read it.")
    if until <= datetime.now(tz=UTC) + SHORTEST:
        return end_grant(grant, actor=actor, reason=reason)
    return _shorten(grant, until=until.astimezone(UTC).replace(microsecond=0), actor=actor, reason=reason)


def _shorten(grant: Grant, *, until: datetime, actor: Viewer, reason: str) -> Grant:
    """Move the end date, also in AWS where policies carry it. A grant without an end date so far ends only
    while Gatehouse runs.
    """
    old = grant.ends_at
    for part in grant.parts.filter(state__in=[GrantState.ACTIVE, GrantState.PARTLY]).select_related(
        "change_set"
    ):
        operations = [operation for _, operation in moving(part, old=old, new=until)] if old else []
        if operations:
            _queue_shorter(grant, part, operations, until=until, actor=actor, reason=reason)
    with transaction.atomic():
        set_end(grant, until)
        record_act(grant, act=GrantAct.SHORTENED, actor=actor, reason=reason)
    return settle(grant)


def _queue_shorter(
    grant: Grant, part: GrantPart, operations: list[Operation], *, until: datetime, actor: Viewer, reason: str
) -> None:
    try:
        queue_accepted(
            operations,
            with_set=part.change_set,
            actor=actor,
            reason=reason,
            title=f"{grant.title}, until {moment_words(until)}",
            cause=SetCause(SHORTENING, grant.pk),
            key=f"grant-short-{part.pk}-{until:%Y%m%d%H%M%S}",
            lanes=[SetLane(part.lane, branch) for branch in range(1, len(operations) + 1)],
            for_grant=True,
        )
    except IntegrityError:
        raise RefusedError("It is already being shortened to this date.") from None


def retry_part(part: GrantPart, *, actor: Viewer) -> Grant:
    """Retry the approved changes of a part that failed, or its failed removal. Raises RefusedError."""
    grant = part.grant
    if why := may_retry(grant, viewer=actor):
        raise RefusedError(why)
    if part.state == GrantState.ENDING:
        return try_end_again(part, actor=actor)
    if grant.ends_at is not None and grant.ends_at <= datetime.now(tz=UTC):
        raise RefusedError("This grant has ended. Submit a new request.")
    failed = failed_changes(part)
    if not failed or part.state not in (GrantState.PARTLY, GrantState.FAILED):
        raise RefusedError("Nothing that was approved failed there.")
    if not Change.objects.filter(approved_lately(), change_set=part.change_set).exists():
        raise RefusedError("It was approved too long ago to be retried. Submit a new request.")
    with transaction.atomic():
        _try_again(part, failed, actor=actor)
        record_act(grant, act=GrantAct.RETRIED, actor=actor, reason=f"In {part.account.name}")
    return settle(grant, lane=part.lane)


def retry_failed(grant: Grant, *, actor: Viewer) -> Grant:
    """Retry failed changes and removals in every account that has some. Raises RefusedError if none can be
    retried.
    """
    if why := may_retry(grant, viewer=actor):
        raise RefusedError(why)
    failed = grant.parts.filter(
        state__in=[GrantState.PARTLY, GrantState.FAILED, GrantState.ENDING]
    ).select_related("grant", "account", "change_set", "ending_set")
    refused: list[str] = []
    parts = list(failed.order_by("lane"))
    for part in parts:
        try:
            retry_part(part, actor=actor)
        except RefusedError as error:
            refused.append(f"{part.account.name}: {error.message}")
    if len(refused) == len(parts):
        raise RefusedError(" ".join(refused) or "Nothing failed.")
    return settle(grant)


def _try_again(part: GrantPart, failed: list[Change], *, actor: Viewer) -> None:
    """Queue the failed changes again and point the ledger to the new changes."""
    written = queue_accepted(
        [_restored(change) for change in failed],
        with_set=part.change_set,
        actor=actor,
        reason=failed[0].reason,
        title=f"Again: {part.grant.title}",
        cause=SetCause(OF_GRANT, part.grant_id),
        key=f"grant-again-{part.pk}-{(part.retry_set_id or part.change_set_id).hex[:12]}",
        lanes=[SetLane(part.lane, change.branch) for change in failed],
        for_grant=True,
    )
    for old, new in zip(failed, written, strict=True):
        part.entries.filter(change=old, since__isnull=True).update(change=new)
    part.retry_set = written[0].change_set
    part.save(update_fields=["retry_set"])


def withdraw_grant(grant: Grant, *, actor: Viewer) -> Grant:
    """Withdraw a request that is waiting or being prepared. Raises RefusedError."""
    if why := may_withdraw(grant, viewer=actor):
        raise RefusedError(why)
    if grant.state == GrantState.PREPARING and call_off(grant, actor=actor):
        return grant
    part = grant.parts.order_by("lane").first()
    first = part.change_set.changes.order_by("position").first() if part else None
    if first is None:
        raise RefusedError("There is nothing to withdraw.")
    changes.withdraw(first, actor=actor)
    return settle(grant)
