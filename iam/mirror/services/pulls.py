"""Requests, stops, runs and schedules pulls. The row is the outbox, the broker message only a
notification.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from iam import nudge
from iam.journal import services as journal
from iam.mirror.models import Account, Pull
from iam.mirror.models.accounts import ACTIVE_PULL, AccountSource, PullState
from iam.mirror.pull.progress import expire_leases

log = structlog.get_logger(__name__)

RUN_PULL: Final = "iam.mirror.tasks.run_pull"
NUDGE_AFTER = timedelta(seconds=30)
"""How long a queued pull waits before the broker is notified again; doubled each time."""


class NotPullableError(Exception):
    """The account can’t be synced, because it comes from an uploaded file or was removed."""


def request_pull(
    account: Account,
    *,
    trigger: str = "demand",
    requested_by: journal.Actor | None = None,
    accept_loss: bool = False,
) -> Pull:
    """Queue a pull, or return the one that is queued or running. `accept_loss` applies to that one too.

    `trigger` is schedule, demand or command. The journal records requests by people, not those of the
    schedule.
    """
    if account.source == AccountSource.EXPORT or account.removed_at is not None:
        raise NotPullableError(f"{account} can’t be synced: it comes from an uploaded file or was removed.")
    free_lost_pulls()
    with transaction.atomic():
        pull = _active(account) or _queue(account, trigger, requested_by, accept_loss)
        if accept_loss and not pull.accept_loss:
            Pull.objects.filter(ACTIVE_PULL, pk=pull.pk).update(accept_loss=True)
            pull.accept_loss = True
        if requested_by is not None:
            journal.record(
                kind="pull.request",
                actor=requested_by,
                subject=str(account),
                account_id=account.account_id,
                data={"pull": pull.pk, "trigger": trigger, "accept_loss": accept_loss},
            )
    return pull


def _active(account: Account) -> Pull | None:
    return Pull.objects.filter(ACTIVE_PULL, account=account).first()


def _queue(account: Account, trigger: str, requested_by: journal.Actor | None, accept_loss: bool) -> Pull:
    try:
        with transaction.atomic():
            pull = Pull.objects.create(
                account=account,
                trigger=trigger,
                requested_by=_person(requested_by),
                accept_loss=accept_loss,
                nudged_at=timezone.now(),
            )
    except IntegrityError:
        # Someone else queued one in the meantime. The constraint is the lock.
        return Pull.objects.get(ACTIVE_PULL, account=account)
    if trigger != "command":
        nudge.send_after_commit(RUN_PULL, pull.pk)
    return pull


def _person(actor: journal.Actor | None) -> UUID | None:
    return getattr(actor, "person_id", None) or getattr(actor, "id", None)


def run_pull(pull_id: UUID) -> Pull:
    """Run a queued pull in this process. A pull that isn't queued is left alone."""
    # Imported late: the web process requests pulls but never runs one, and doesn't need botocore.
    from iam.mirror.pull import run

    run.run_pull(pull_id)
    return Pull.objects.get(pk=pull_id)


def cancel_pull(pull: Pull, *, actor: journal.Actor) -> bool:
    """Stop a pull: a queued one at once, a running one between two pages. Returns False if it has ended."""
    with transaction.atomic():
        now = timezone.now()
        stopped = Pull.objects.filter(pk=pull.pk, state=PullState.QUEUED).update(
            state=PullState.CANCELLED, ended_at=now, message="Stopped before it started."
        ) or Pull.objects.filter(pk=pull.pk, state=PullState.RUNNING).update(cancel_requested=True)
        if stopped:
            journal.record(
                kind="pull.cancel",
                actor=actor,
                subject=str(pull.account),
                account_id=pull.account.account_id,
                data={"pull": pull.pk},
            )
    pull.refresh_from_db()
    return bool(stopped)


def free_lost_pulls() -> int:
    """Fail the pulls whose workers have died, so that their accounts can be synced again, and return how
    many.
    """
    lost = expire_leases(now=timezone.now())
    if lost:
        log.warning("pulls_lost", pulls=lost)
    return lost


def pull_due_accounts() -> int:
    """Queue pulls that are due, release those of dead workers, notify the broker of forgotten ones. Returns
    how many were queued.

    It is safe to run twice at once: an account's next time is changed by compare-and-set.
    """
    now = timezone.now()
    free_lost_pulls()
    _nudge_forgotten(now)
    due = Account.objects.filter(
        Q(next_pull_at__lte=now) | Q(next_pull_at__isnull=True), removed_at__isnull=True
    )
    queued = 0
    for account in due.exclude(source=AccountSource.EXPORT).order_by(
        F("next_pull_at").asc(nulls_first=True), "id"
    )[:1000]:
        if _move_next(account, now):
            request_pull(account, trigger="schedule")
            queued += 1
    return queued


def _move_next(account: Account, now: datetime) -> bool:
    minutes = account.pull_every or settings.PULL_MINUTES
    moved = Account.objects.filter(pk=account.pk, next_pull_at=account.next_pull_at)
    return moved.update(next_pull_at=now + timedelta(minutes=minutes)) == 1


def _nudge_forgotten(now: datetime) -> None:
    forgotten = Pull.objects.filter(state=PullState.QUEUED, nudged_at__lt=now - NUDGE_AFTER)
    for pull in forgotten.order_by("created_at")[:200]:
        waited = (pull.nudged_at or pull.created_at) - pull.created_at
        if now - (pull.nudged_at or pull.created_at) < max(NUDGE_AFTER, waited):
            continue
        if Pull.objects.filter(pk=pull.pk, state=PullState.QUEUED, nudged_at=pull.nudged_at).update(
            nudged_at=now
        ):
            nudge.send(RUN_PULL, pull.pk)
