"""Lets many threads read what one thread changes now and then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Gate:
    """Readers do not wait for each other. Who changes something waits for those who read, and those who come then wait for the change.

    A thread that reads must not ask to read again.
    """

    def __init__(self) -> None:
        self._condition = Condition()
        self._readers = 0
        self._is_wanted = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read meanwhile."""
        with self._condition:
            self._condition.wait_for(lambda: not self._is_wanted)
            self._readers += 1
        try:
            yield
        finally:
            with self._condition:
                self._readers -= 1
                self._condition.notify_all()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change something, alone."""
        with self._condition:
            self._condition.wait_for(lambda: not self._is_wanted)
            self._is_wanted = True
            self._condition.wait_for(lambda: not self._readers)
        try:
            yield
        finally:
            with self._condition:
                self._is_wanted = False
                self._condition.notify_all()
