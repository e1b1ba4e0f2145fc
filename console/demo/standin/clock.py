"""The stand-in's now: real time, or the recorded time while a stored write is replayed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_recorded: datetime | None = None


def utcnow() -> datetime:
    """Now in UTC, naive and in whole seconds: moto compares naive dates, IAM answers whole seconds."""
    if _recorded is not None:
        return _recorded
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def epoch() -> float:
    """The same moment in seconds since 1970, with fractions while nothing is replayed (TOTP needs it)."""
    if _recorded is not None:
        return _recorded.replace(tzinfo=UTC).timestamp()
    return datetime.now(UTC).timestamp()


@contextmanager
def recorded(moment: datetime) -> Iterator[None]:
    """Let the stand-in believe that it is `moment` (naive UTC). Callers hold the world's lock."""
    global _recorded
    before, _recorded = _recorded, moment.replace(microsecond=0)
    try:
        yield
    finally:
        _recorded = before
