"""Beat's schedule: frequent sweeps are sent only while the database changes; in a quiet database one message
a minute carries all of them, and beat looks once a second whether something was written.
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
"""Entries that run at least this often can rest; the others are always sent."""
ACTIVE_SECONDS: Final = 30.0
"""So long after the last write every entry keeps its own period: what waits some seconds for AWS is not
late.
"""
LOOK_SECONDS: Final = 1.0
"""So often beat looks in a quiet database: as often as the most frequent entry runs in another one."""
HEARTBEAT: Final = "console.web.tasks.record_heartbeat"
SETTLING_SECONDS: Final = 2.0
"""A heartbeat is written within this time, or counts as any other write. Its write keeps only the journal
awake, for as long: it is chained once more, in case someone else wrote in the same second.
"""
AWAKE_WHILE_SETTLING: Final = "iam.journal.tasks.chain_journal"
STATE_OF_WRITES: Final = {
    "sqlite": "PRAGMA data_version",
    # The last transaction number, and those in progress: a commit of either changes it, and reading doesn't.
    "postgresql": "SELECT pg_current_snapshot()::text",
}


class StateOfWrites:
    """Reads a value which is another one after every committed write, over a connection of its own."""

    def __init__(self) -> None:
        # Opened late: an embedded beat is a fork, and must not share the connection of its parent.
        self._connection: BaseDatabaseWrapper | None = None

    def __call__(self) -> object:
        """The value; raises DatabaseError, and connects again the next time."""
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
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class BeatTempo(Enum):
    """What is sent."""

    ACTIVE = auto()
    """Every entry by its own period."""
    SETTLING = auto()
    """As QUIET, and the journal by its own period: a heartbeat was written."""
    QUIET = auto()
    """Rare entries, and the round that carries the frequent ones."""


@dataclass
class DatabaseActivity:
    """Whether something was written to the database lately."""

    read: Callable[[], object]
    clock: Callable[[], float] = time.monotonic
    _state: object = None
    _active_until: float = field(default=float("-inf"))
    _settling_until: float = field(default=float("-inf"))
    _heartbeat_until: float = field(default=float("-inf"))

    def expect_heartbeat(self) -> None:
        """A heartbeat was sent: its write isn't activity."""
        self._heartbeat_until = self.clock() + SETTLING_SECONDS

    def tempo(self) -> BeatTempo:
        """ACTIVE within ACTIVE_SECONDS of a write, and when the database can't say."""
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
    """Celery's scheduler, which leaves out sweeps that can find nothing new."""

    activity: DatabaseActivity
    _looked_at: float | None = None
    """When the last tick left entries at rest, by the clock of the heap; None after another tick."""
    _next_at: float = 0.0
    """When the first entry that doesn't rest is due; known while `_looked_at` is."""

    def setup_schedule(self) -> None:
        """Begin as after a write: what was left by the processes before is found at once."""
        self.activity = DatabaseActivity(StateOfWrites())
        super().setup_schedule()

    def apply_async(self, entry: ScheduleEntry, *arguments: Any, **options: Any) -> Any:
        """Send the task of an entry."""
        if entry.task == HEARTBEAT:
            self.activity.expect_heartbeat()
        return super().apply_async(entry, *arguments, **options)

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Send what is due; seconds until the next look. In a quiet database entries that rest aren't looked
        at one by one.
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
        """The moments of entries that have rested go on after the last look, each by the period of its entry:
        a write doesn't send all sweeps at once.
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
        """(whether to send the entry now, seconds until the next look)."""
        due = super().is_due(entry)
        if due.is_due and is_frequent(entry) and rests(entry, self.activity.tempo()):
            return type(due)(False, entry.schedule.seconds)
        return due


def is_frequent(entry: ScheduleEntry) -> bool:
    """True for an entry that can rest, and for the round."""
    # Celery's own entries have no period.
    period = getattr(entry.schedule, "seconds", None)
    return period is not None and period <= FREQUENT_SECONDS


def rests(entry: ScheduleEntry, tempo: BeatTempo) -> bool:
    """Whether an entry isn't sent at a tempo."""
    if not is_frequent(entry):
        return False
    if entry.name == QUIET_ROUND:
        return tempo is BeatTempo.ACTIVE
    if entry.name == AWAKE_WHILE_SETTLING:
        return tempo is BeatTempo.QUIET
    return tempo is not BeatTempo.ACTIVE
