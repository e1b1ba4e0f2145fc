"""The simulated current time: the real time, or the recorded time while a stored write is replayed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_recorded: datetime | None = None


def utcnow() -> datetime:
    """Return the time in UTC, naive and in whole seconds, because moto compares naive datetimes and IAM
    returns whole seconds.
    """
    if _recorded is not None:
        return _recorded
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def epoch() -> float:
    """Return the time in seconds since 1970, with fractions (needed for TOTP) unless replaying."""
    if _recorded is not None:
        return _recorded.replace(tzinfo=UTC).timestamp()
    return datetime.now(UTC).timestamp()


@contextmanager
def recorded(moment: datetime) -> Iterator[None]:
    """Set the current time to `moment` (naive UTC) within the context. Callers hold the world's lock."""
    global _recorded
    before, _recorded = _recorded, moment.replace(microsecond=0)
    try:
        yield
    finally:
        _recorded = before
