"""A token bucket per account, so that a pull never uses up the whole API quota of an account."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class RateLimit:
    """At most `per_second` calls a second on average, and `burst` calls at once."""

    per_second: float
    burst: int = 20

    def __post_init__(self) -> None:
        if self.per_second <= 0 or self.burst < 1:
            raise ValueError("A rate limit needs more than 0 calls a second and a burst of at least 1.")


class TokenBucket:
    """A bucket that gives one token per call and makes the caller wait if it is empty. Thread-safe."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._tokens = float(limit.burst)
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Take a token, sleep until it is due, and return the seconds slept."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._limit.burst, self._tokens + (now - self._at) * self._limit.per_second)
            self._at = now
            self._tokens -= 1
            seconds = max(0.0, -self._tokens / self._limit.per_second)
        if seconds > 0:
            time.sleep(seconds)
        return seconds


_buckets: dict[tuple[str, RateLimit], TokenBucket] = {}
_buckets_lock = threading.Lock()


def bucket_of(account_id: str, *, limit: RateLimit) -> TokenBucket:
    """Return the bucket that all sessions of this process share for an account and a limit."""
    with _buckets_lock:
        return _buckets.setdefault((account_id, limit), TokenBucket(limit))
