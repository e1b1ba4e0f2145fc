"""A lock for many reading threads and one thread that makes changes now and then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, local


class ReadWriteLock:
    """Readers don't wait for each other. A change waits for current readers, and new readers wait for the
    change.
    """

    def __init__(self) -> None:
        self._condition = Condition()
        self._readers = 0
        self._changes = False
        self._waits = False
        """True if a change is waiting that new readers must not overtake."""
        self._own = local()

    @property
    def is_reading(self) -> bool:
        """True if this thread is reading."""
        return bool(getattr(self._own, "depth", 0))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold the lock for reading. A thread can do so again within."""
        with self._condition:
            if not self.is_reading:
                self._condition.wait_for(lambda: not (self._changes or self._waits))
            self._readers += 1
            self._own.depth = getattr(self._own, "depth", 0) + 1
        try:
            yield
        finally:
            with self._condition:
                self._readers -= 1
                self._own.depth -= 1
                self._condition.notify_all()

    @contextmanager
    def changing(self, seconds: float | None = None, *, is_urgent: bool = True) -> Iterator[bool]:
        """Hold the lock alone to change something. Yields False if others kept reading for `seconds`: then
        nothing must be changed.

        `is_urgent`: no one can start reading meanwhile. A thread that is reading must not call this.
        """
        assert not self.is_reading, "a thread that reads would wait for itself"
        with self._condition:
            if is_urgent:
                self._condition.wait_for(lambda: not self._waits)
                self._waits = True
            is_alone = self._condition.wait_for(lambda: not (self._changes or self._readers), seconds)
            if is_urgent:
                self._waits = False
            self._changes = is_alone
            self._condition.notify_all()
        try:
            yield is_alone
        finally:
            if is_alone:
                with self._condition:
                    self._changes = False
                    self._condition.notify_all()
