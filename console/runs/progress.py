"""The progress of a run's changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iam.changes.models import OPEN, RUNNING, ChangeState


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Changes by status, which add up to the total.

    `running` changes are approved and not ended, `drafts` aren't requested yet, and `closed` ones were
    cancelled, rejected or expired.
    """

    total: int
    applied: int
    running: int
    failed: int
    waiting: int = 0
    drafts: int = 0
    closed: int = 0
    made_good: int = 0
    """Number of failed changes that don’t count, because later ones did the same or AWS shows that nothing is
    left.
    """
    is_submitting: bool = False
    """The request is still being written, so that the total grows."""

    @property
    def changes_done(self) -> str:
        """Return '3 of 5 changes done'."""
        return self._done("change")

    @property
    def steps_done(self) -> str:
        """Return '3 of 5 steps done', for pages that call them steps."""
        return self._done("step")

    def _done(self, noun: str) -> str:
        nouns = noun if self.total == 1 else f"{noun}s"
        if self.is_submitting:
            return f"{self.total:,} {nouns} requested so far"
        return f"{self.applied:,} of {self.total:,} {nouns} done"

    @property
    def bar(self) -> dict[str, float]:
        """The shares of the bar in percent."""
        whole = max(1, self.total)
        return {name: 100 * getattr(self, name) / whole for name in ("applied", "running", "failed")}


def progress_of(counts: Mapping[str, int], *, is_submitting: bool = False) -> RunProgress:
    """Return the progress from the number of changes in each status."""

    def count(*states: ChangeState) -> int:
        return sum(counts.get(state.value, 0) for state in states)

    failed = count(ChangeState.FAILED, ChangeState.UNKNOWN)
    total = sum(counts.values())
    return RunProgress(
        total=total,
        applied=count(ChangeState.APPLIED),
        running=count(*RUNNING),
        failed=failed,
        waiting=count(ChangeState.AWAITING),
        drafts=count(ChangeState.DRAFT),
        closed=total - failed - count(*OPEN, ChangeState.DRAFT, ChangeState.APPLIED),
        is_submitting=is_submitting,
    )
