"""Stores the progress of a pull in its row, at most twice a second. The same write renews the lease and
notices a cancellation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils import timezone

from iam.journal import clock
from iam.mirror.models import Pull, PullSection, SectionState
from iam.mirror.models.accounts import PullState

LEASE = timedelta(seconds=120)
"""Longer than one attempt of a call to AWS including the pause before it, since nothing renews the lease
meanwhile.
"""
EVERY_SECONDS = 0.5
NOT_APPLIED = "The sync ended before this was saved."


class PullCancelledError(Exception):
    """Raised if someone requested to stop the pull."""


class PullLeaseLostError(Exception):
    """Raised if this worker no longer has the pull because its lease expired. What it has read must not be
    applied.
    """


def claim(pull_id: UUID, *, now: datetime) -> bool:
    """Claim a queued pull. False if it is not queued (any more), or if this host's clock is wrong: its facts
    would seem newer than others.
    """
    if not clock.is_right():
        return False
    claimed = Pull.objects.filter(pk=pull_id, state=PullState.QUEUED).update(
        state=PullState.RUNNING, began_at=now, lease_until=now + LEASE, phase="Signing in"
    )
    return claimed == 1


class PullProgress:
    """Counts the calls and says which section is being read; `retries` returns the number of repeated
    requests.
    """

    def __init__(self, pull_id: UUID, *, expected: int) -> None:
        self.calls = 0
        self.retries: Callable[[], int] = lambda: 0
        self.expected = expected
        self.phase = "Signing in"
        self._pull_id = pull_id
        self._told_at = 0.0
        self._is_cancelled = False
        self._is_lost = False

    def on_call(self, action: str) -> None:
        """Count a request. Must be called for each one that is sent."""
        self.calls += 1
        self._tell_now_and_then()

    def enter(self, phase: str) -> None:
        """Begin a phase. Raises PullCancelledError or PullLeaseLostError like `check`."""
        self.phase = phase
        self.check()

    def check(self) -> None:
        """Raise PullCancelledError or PullLeaseLostError if the pull must stop. To be called
        between pages.
        """
        self._tell_now_and_then()
        if self._is_lost:
            raise PullLeaseLostError
        if self._is_cancelled:
            raise PullCancelledError

    def _tell_now_and_then(self) -> None:
        if time.monotonic() - self._told_at >= EVERY_SECONDS:
            self.save()

    def save(self) -> None:
        """Write the progress to the row."""
        self._told_at = time.monotonic()
        row: tuple[Any, ...] | None = None
        if self._write():
            row = Pull.objects.filter(pk=self._pull_id).values_list("cancel_requested").first()
        self._is_lost = self._is_lost or row is None
        self._is_cancelled = bool(row and row[0])

    def keep(self) -> None:
        """Renew the lease within the transaction that applies. Raises PullLeaseLostError if this worker no
        longer has the pull.

        The row stays locked until the transaction ends, so no one can expire the lease meanwhile.
        """
        if not self._write():
            raise PullLeaseLostError

    def _write(self) -> int:
        return Pull.objects.filter(pk=self._pull_id, state=PullState.RUNNING).update(
            calls=self.calls,
            calls_expected=max(self.expected, self.calls),
            waits=self.retries(),
            phase=self.phase[:64],
            lease_until=timezone.now() + LEASE,
        )


def expire_leases(*, now: datetime) -> int:
    """Mark pulls whose worker has stopped as failed. Returns their number."""
    dead = Pull.objects.filter(state=PullState.RUNNING, lease_until__lt=now)
    expired = dead.update(
        state=PullState.FAILED,
        ended_at=F("lease_until"),
        message=(
            "The worker stopped during the sync. Incomplete data was not saved. The next sync starts again."
        ),
    )
    if expired:
        close_sections(PullSection.objects.filter(pull__state=PullState.FAILED), now=now)
    return expired


def close_sections(sections: QuerySet[PullSection], *, now: datetime) -> None:
    """End the sections that were being read when a pull ended. Nothing of them was applied."""
    sections.filter(state=SectionState.READING).update(
        state=SectionState.FAILED, ended_at=now, message=NOT_APPLIED
    )
