"""Schedule of Celery beat, which sends frequent sweeps only while the database changes.

In a quiet database one message per minute covers all sweeps, and beat checks every second whether something
was written.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

import structlog
from celery.beat import PersistentScheduler, ScheduleEntry, event_t
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

logger = structlog.get_logger(__name__)
QUIET_ROUND: Final = "quiet-round"
FREQUENT_SECONDS: Final = 60.0
"""Entries with a period up to this can rest; all others are always sent."""
ACTIVE_SECONDS: Final = 30.0
"""Seconds after the last write during which every entry keeps its own period, so that work waiting some
seconds for AWS isn’t late.
"""
LOOK_SECONDS: Final = 1.0
"""Interval of checks in a quiet database: that of the most frequent entry in an active one."""
HEARTBEAT: Final = "console.web.tasks.record_heartbeat"
SETTLING_SECONDS: Final = 2.0
"""A heartbeat written within this time doesn’t count as activity.

It only keeps the journal's entry active for as long: the journal is chained once more, in case someone else
wrote in the same second.
"""
AWAKE_WHILE_SETTLING: Final = "iam.journal.tasks.chain_journal"
STATE_OF_WRITES: Final = {
    "sqlite": "PRAGMA data_version",
    # The last transaction ID and the open ones: every commit changes this value, and reading it doesn't.
    "postgresql": "SELECT pg_current_snapshot()::text",
}


class StateOfWrites:
    """Reads a value that changes with every committed write, over a connection of its own."""

    def __init__(self) -> None:
        # Opened late: an embedded beat is forked and must not share its parent's connection.
        self._connection: BaseDatabaseWrapper | None = None

    def __call__(self) -> object:
        """Return the value. Raises DatabaseError; the next call connects again."""
        if self._connection is None:
            self._connection = connections.create_connection("default")
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(STATE_OF_WRITES[self._connection.vendor])
                row = cursor.fetchone()
        except DatabaseError:
            self.close()
            raise
        return row[0] if row else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class BeatTempo(Enum):
    """Which entries are sent."""

    ACTIVE = auto()
    """Every entry, with its own period."""
    SETTLING = auto()
    """Like QUIET, but the journal's entry keeps its own period, because a heartbeat was written."""
    QUIET = auto()
    """Rare entries, and the entry that runs all frequent ones."""


@dataclass
class DatabaseActivity:
    """Tracks whether something was written to the database lately."""

    read: Callable[[], object]
    clock: Callable[[], float] = time.monotonic
    _state: object = None
    _active_until: float = field(default=float("-inf"))
    _settling_until: float = field(default=float("-inf"))
    _heartbeat_until: float = field(default=float("-inf"))

    def expect_heartbeat(self) -> None:
        """Ignore the next write if it comes soon, because a heartbeat was sent."""
        self._heartbeat_until = self.clock() + SETTLING_SECONDS

    def tempo(self) -> BeatTempo:
        """Return the tempo: ACTIVE within ACTIVE_SECONDS after a write, and if the database can’t be read."""
        now = self.clock()
        try:
            state = self.read()
        except DatabaseError as error:
            logger.warning("beat.database_failed", error=str(error))
            return BeatTempo.ACTIVE
        if state != self._state:
            self._state = state
            if now < self._heartbeat_until:
                self._heartbeat_until, self._settling_until = now, now + SETTLING_SECONDS
            else:
                self._active_until = now + ACTIVE_SECONDS
        if now < self._active_until:
            return BeatTempo.ACTIVE
        return BeatTempo.SETTLING if now < self._settling_until else BeatTempo.QUIET


class QuietScheduler(PersistentScheduler):  # type: ignore[misc]
    """Celery scheduler that skips sweeps that can’t find anything new."""

    activity: DatabaseActivity
    _looked_at: float | None = None
    """Time on the heap's clock of the last tick that left entries resting; None after other ticks."""
    _next_at: float = 0.0
    """Time when the first entry that doesn’t rest is due; valid while `_looked_at` is set."""

    def setup_schedule(self) -> None:
        """Start in the active tempo, so that work left by earlier processes is found at once."""
        self.activity = DatabaseActivity(StateOfWrites())
        super().setup_schedule()

    def apply_async(self, entry: ScheduleEntry, *arguments: Any, **options: Any) -> Any:
        """Send the task of an entry, and note a heartbeat."""
        if entry.task == HEARTBEAT:
            self.activity.expect_heartbeat()
        return super().apply_async(entry, *arguments, **options)

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Send due entries and return the seconds until the next check.

        In a quiet database resting entries aren’t checked one by one.
        """
        if self._heap and self.activity.tempo() is BeatTempo.QUIET:
            now = self._when(self._heap[0].entry, 0)
            if self._looked_at is None:
                sent = (event.time for event in self._heap if not rests(event.entry, BeatTempo.QUIET))
                self._next_at = min(sent, default=math.inf)
            if now < self._next_at:
                self._looked_at = now
                wait: float = min(LOOK_SECONDS, self._next_at - now)
                return wait
        self._pass_over_rest()
        return float(super().tick(*arguments, **options))

    def _pass_over_rest(self) -> None:
        """Move entries that have rested to their next regular time after the last check, so that a write
        doesn’t send all sweeps at once.
        """
        if self._looked_at is None:
            return
        for number, event in enumerate(self._heap):
            overdue = self._looked_at - event.time
            if overdue >= 0 and rests(event.entry, BeatTempo.QUIET):
                period = event.entry.schedule.seconds
                moment = event.time + (math.floor(overdue / period) + 1) * period
                self._heap[number] = event_t(moment, event.priority, event.entry)
        heapq.heapify(self._heap)
        self._looked_at = None

    def is_due(self, entry: ScheduleEntry) -> Any:
        """Return whether to send the entry now, and the seconds until the next check."""
        due = super().is_due(entry)
        if due.is_due and is_frequent(entry) and rests(entry, self.activity.tempo()):
            return type(due)(False, entry.schedule.seconds)
        return due


def is_frequent(entry: ScheduleEntry) -> bool:
    """Return whether the entry can rest; includes the round."""
    # Celery's own entries may have no period.
    period = getattr(entry.schedule, "seconds", None)
    return period is not None and period <= FREQUENT_SECONDS


def rests(entry: ScheduleEntry, tempo: BeatTempo) -> bool:
    """Return whether an entry isn’t sent at this tempo."""
    if not is_frequent(entry):
        return False
    if entry.name == QUIET_ROUND:
        return tempo is BeatTempo.ACTIVE
    if entry.name == AWAKE_WHILE_SETTLING:
        return tempo is BeatTempo.QUIET
    return tempo is not BeatTempo.ACTIVE
