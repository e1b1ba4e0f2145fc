"""Claims changes for a worker: by compare-and-set, with leases that are renewed, and a fence that stops a
worker that lost its lease.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.db.models import Exists, Field, IntegerField, OuterRef, Q, QuerySet, UUIDField

from iam.changes.models import LAST_BRANCH, RUNNING, Change, ChangeSet, ChangeState
from iam.changes.states import add_event, move
from iam.compiled_queries import CompiledQuery, columns, instance
from iam.journal import clock
from iam.mirror.models import Account
from iam.prepared_statements import QueryParam

LEASE = timedelta(seconds=settings.CHANGE_LEASE)
"""Longer than one request to AWS can take (connect, read, and the wait before); each request renews it."""


READING = timedelta(seconds=15)
"""After this time, another worker may read back a change. Two workers that read do no harm."""


_OF_SET = tuple(name for name in columns(ChangeSet) if name != "receipt")
_PARTS = (
    slice(0, len(columns(Change))),
    slice(len(columns(Change)), -len(_OF_SET)),
    slice(-len(_OF_SET), None),
)
_ONE = CompiledQuery(
    lambda: Change.objects.filter(pk=QueryParam("change", UUIDField())).values_list(
        *columns(Change),
        *(f"account__{name}" for name in columns(Account)),
        *(f"change_set__{name}" for name in _OF_SET),
    )
)


class LeaseLostError(Exception):
    """Raised if another worker has taken over the change. This worker stops and sends nothing more."""


def due(now: datetime) -> QuerySet[Change]:
    """Return the changes that a worker must handle: queued, to be read again, or left by a worker whose lease
    expired.

    A change waits for earlier changes of its lane in its own branch and in the trunk; in the last branch, for
    all of the lane.
    """
    waiting = Q(state=ChangeState.QUEUED, due_at__lte=now) & ~Q(Exists(_before(OuterRef)))
    return Change.objects.filter(
        waiting
        | Q(state=ChangeState.CONFIRMING, due_at__lte=now)
        | Q(state=ChangeState.APPLYING, lease_until__lte=now)
    )


def _before(of: Callable[[str], Any]) -> QuerySet[Change]:
    """The changes that a change waits for; `of` returns a column of that change."""
    # Negative, so it matches nothing, for every branch except the last one.
    all_for_the_last = Q(branch__lt=of("branch") - LAST_BRANCH // 2)
    return Change.objects.filter(
        Q(branch=0) | Q(branch=of("branch")) | all_for_the_last,
        change_set=of("change_set_id"),
        lane=of("lane"),
        position__lt=of("position"),
    ).exclude(state=ChangeState.APPLIED)


_SLOTS: dict[str, Field[Any, Any]] = {
    "change_set_id": UUIDField(),
    "lane": IntegerField(),
    "branch": IntegerField(),
    "position": IntegerField(),
}
_BEFORE = CompiledQuery(lambda: _before(lambda name: QueryParam(name, _SLOTS[name])).values_list("pk")[:1])


def _is_due(change: Change, now: datetime) -> bool:
    """The condition of `due` for a loaded change. The first change of a set waits for no other."""
    moment = change.lease_until if change.state == ChangeState.APPLYING else change.due_at
    if change.state not in RUNNING or moment is None or moment > now:
        return False
    if change.state != ChangeState.QUEUED or change.position == 0:
        return True
    slots = {name: getattr(change, name) for name in _SLOTS}
    return not _BEFORE.rows(**slots)


def _read(change_id: UUID) -> Change | None:
    """The change with its account, and with its set without the receipt."""
    for row in _ONE.rows(change=change_id):
        of_change, of_account, of_set = (row[part] for part in _PARTS)
        change = instance(Change, of_change)
        change.account = instance(Account, of_account)
        change.change_set = ChangeSet.from_db(DEFAULT_DB_ALIAS, _OF_SET, of_set)
        return change
    return None


def claim(change_id: UUID) -> Change | None:
    """Claim a change until the lease expires. None if it is not due, another worker has it, its subject has
    another change in flight, or the clock is wrong.
    """
    if not clock.is_right():
        return None
    now = datetime.now(tz=UTC)
    change = _read(change_id)
    if change is None or not _is_due(change, now):
        return None
    take = {
        ChangeState.QUEUED: _begin,
        ChangeState.APPLYING: _take_over,
        ChangeState.CONFIRMING: _read_on,
    }[ChangeState(change.state)]
    return change if take(change, now) else None


def _begin(change: Change, now: datetime) -> bool:
    try:
        with transaction.atomic():
            return move(
                change,
                to=ChangeState.APPLYING,
                actor=None,
                attempts=change.attempts + 1,
                lease_until=now + LEASE,
                due_at=None,
            )
    except IntegrityError:
        # Another change of this subject is in flight; when that one ends, it nudges this one.
        return False


def _take_over(change: Change, now: datetime) -> bool:
    with transaction.atomic():
        lost_lease = Change.objects.filter(
            pk=change.pk,
            state=ChangeState.APPLYING,
            attempts=change.attempts,
            lease_until=change.lease_until,
        )
        if not lost_lease.update(attempts=change.attempts + 1, lease_until=now + LEASE):
            return False
        change.attempts += 1
        change.lease_until = now + LEASE
        note = "The previous worker stopped. Gatehouse checks AWS before it calls anything."
        add_event(change, kind="taken_over", actor=None, note=note)
    return True


def _read_on(change: Change, now: datetime) -> bool:
    due = Change.objects.filter(
        pk=change.pk, state=ChangeState.CONFIRMING, attempts=change.attempts, due_at=change.due_at
    )
    if not due.update(due_at=now + READING):
        return False
    change.due_at = now + READING
    return True


def keep(change: Change, **values: Any) -> None:
    """Write columns of a claimed change, and renew its lease. Raises LeaseLostError if the claim was lost."""
    if change.state == ChangeState.APPLYING:
        values["lease_until"] = datetime.now(tz=UTC) + LEASE
    same_attempt = Change.objects.filter(pk=change.pk, state=change.state, attempts=change.attempts)
    if not same_attempt.update(**values):
        raise LeaseLostError(str(change.pk))
    for name, value in values.items():
        setattr(change, name, value)


def renew_lease(change: Change, action: str) -> None:
    """Renew the lease if a third of it has passed. Called for every request that is sent."""
    if change.state != ChangeState.APPLYING or change.lease_until is None:
        return
    if change.lease_until - datetime.now(tz=UTC) < LEASE * 2 / 3:
        keep(change)
