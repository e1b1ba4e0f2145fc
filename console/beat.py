"""Beat's schedule: frequent sweeps are sent only while the database changes; in a quiet database one message
a minute carries all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from celery.beat import PersistentScheduler, ScheduleEntry
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
HEARTBEAT: Final = "console.web.tasks.record_heartbeat"
SETTLING_SECONDS: Final = 2.0
"""A heartbeat is written within this time, or counts as any other write. Its write keeps entries awake only
for as long: the journal is chained once more, in case someone else wrote in the same second.
"""
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


@dataclass
class Activity:
    """Whether something was written to the database lately."""

    read: Callable[[], object]
    clock: Callable[[], float] = time.monotonic
    _state: object = None
    _active_until: float = field(default=float("-inf"))
    _heartbeat_until: float = field(default=float("-inf"))

    def expect_heartbeat(self) -> None:
        """A heartbeat was sent: its write isn't activity."""
        self._heartbeat_until = self.clock() + SETTLING_SECONDS

    def is_active(self) -> bool:
        """True within ACTIVE_SECONDS of a write, and when the database can't say."""
        now = self.clock()
        try:
            state = self.read()
        except DatabaseError as error:
            logger.warning("beat.database_failed", error=str(error))
            return True
        if state != self._state:
            is_heartbeat = now < self._heartbeat_until
            lasts = SETTLING_SECONDS if is_heartbeat else ACTIVE_SECONDS
            self._state, self._active_until = state, max(self._active_until, now + lasts)
            if is_heartbeat:
                self._heartbeat_until = now
        return now < self._active_until


class QuietScheduler(PersistentScheduler):  # type: ignore[misc]
    """Celery's scheduler, which leaves out sweeps that can find nothing new."""

    activity: Activity

    def setup_schedule(self) -> None:
        """Begin as after a write: what was left by the processes before is found at once."""
        self.activity = Activity(StateOfWrites())
        super().setup_schedule()

    def apply_async(self, entry: ScheduleEntry, *arguments: Any, **options: Any) -> Any:
        """Send the task of an entry."""
        if entry.task == HEARTBEAT:
            self.activity.expect_heartbeat()
        return super().apply_async(entry, *arguments, **options)

    def is_due(self, entry: ScheduleEntry) -> Any:
        """(whether to send the entry now, seconds until the next look)."""
        due = super().is_due(entry)
        # Celery's own entries have no period.
        period = getattr(entry.schedule, "seconds", None)
        if not due.is_due or period is None or period > FREQUENT_SECONDS:
            return due
        if self.activity.is_active() == (entry.name == QUIET_ROUND):
            return type(due)(False, period)
        return due
