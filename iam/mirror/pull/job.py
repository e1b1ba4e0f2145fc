"""The shared state of one pull, and how its steps read a section without treating a failure as an
empty list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from iam.aws.errors import AwsError
from iam.aws.session import Aws
from iam.mirror.models import Account, Pull, SectionState
from iam.mirror.pull.apply import lock_account
from iam.mirror.pull.credentials import LoadedReport
from iam.mirror.pull.documents import PolicyDocuments
from iam.mirror.pull.entity_cache import EntityCache
from iam.mirror.pull.facts import ObservationTimes, PartOutcome
from iam.mirror.pull.freshness import SectionFreshness, SectionVerdict, verdict_of
from iam.mirror.pull.progress import PullProgress
from iam.mirror.pull.sections import LABELS
from iam.mirror.pull.sweep import LossLimit

T = TypeVar("T")
NOTES_KEPT = 3


@dataclass
class SectionReading(Generic[T]):
    """A section that was read: its value, or the error with which reading ended."""

    section: str
    began_at: datetime
    calls: int = 0
    value: T | None = None
    error: AwsError | None = None
    is_partial: bool = False

    @property
    def is_whole(self) -> bool:
        """True if it was read completely."""
        return self.error is None


def _first_notes(outcome: PartOutcome) -> str:
    """The first notes, and the number of the others."""
    more = len(outcome.notes) - NOTES_KEPT
    return " ".join([*outcome.notes[:NOTES_KEPT], *([f"And {more:,} more."] if more > 0 else [])])


@dataclass
class PullJob:
    """A running pull or upload, with everything that applying needs."""

    account: Account
    pull: Pull
    progress: PullProgress
    began_at: datetime
    census: EntityCache
    freshness: SectionFreshness
    documents: PolicyDocuments = field(default_factory=PolicyDocuments)
    verdicts: dict[str, SectionVerdict] = field(default_factory=dict)
    outcomes: dict[str, PartOutcome] = field(default_factory=dict)
    reported: LoadedReport | None = None

    def observation(self, section: str, *, at: datetime) -> ObservationTimes:
        """The times of an observation of a section at this time."""
        return ObservationTimes(at=at, after=self.freshness.observed_at(section))

    def applying(self) -> transaction.Atomic:
        """The transaction in which sections are applied; call `take_hold` first in it."""
        return transaction.atomic()

    def take_hold(self) -> LossLimit:
        """Lock the account, check that this worker still has the pull, and load what was re-read in the
        meantime.
        """
        lock_account(self.account)
        self.progress.keep()
        self.census.catch_up(self.began_at)
        accepted = Pull.objects.values_list("accept_loss", flat=True).get(pk=self.pull.pk)
        return LossLimit(percent=settings.LOSS_PERCENT, is_accepted=accepted)

    def settle(
        self,
        reading: SectionReading[Any],
        *,
        outcome: PartOutcome | None,
        section: str | None = None,
        observed_at: datetime | None = None,
    ) -> None:
        """Store the result of a section: its error, held back, or complete."""
        name = section or reading.section
        calls = reading.calls if name == reading.section else 0
        if reading.error is not None:
            outcome = None
            verdict = verdict_of(
                name, reading.error, began_at=reading.began_at, calls=calls, is_partial=reading.is_partial
            )
        elif outcome is not None and outcome.held:
            verdict = SectionVerdict(
                name, SectionState.HELD.value, reading.began_at, calls=calls, message=outcome.held
            )
        else:
            message = _first_notes(outcome) if outcome else ""
            verdict = SectionVerdict(
                name,
                SectionState.COMPLETE.value,
                reading.began_at,
                calls=calls,
                observed_at=observed_at or reading.began_at,
                message=message,
            )
        self.freshness.end(verdict, outcome=outcome, now=timezone.now())
        self.verdicts[name] = verdict
        if outcome is not None:
            self.outcomes[name] = outcome


@dataclass(kw_only=True)
class LiveJob(PullJob):
    """A pull that reads from AWS."""

    aws: Aws

    def read(self, section: str, get: Callable[[], T]) -> SectionReading[T]:
        """Read a section with `get`. An AwsError is stored in the reading."""
        self.progress.enter(f"Reading {LABELS[section].lower()}")
        reading: SectionReading[T] = SectionReading(section, began_at=timezone.now())
        self.freshness.begin(section, at=reading.began_at)
        before = self.progress.calls
        try:
            reading.value = get()
        except AwsError as error:
            reading.error = error
        reading.calls = self.progress.calls - before
        return reading
