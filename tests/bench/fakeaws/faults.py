"""What goes wrong on purpose: random faults, a request budget, denied actions, and a failure at a chosen
call.
"""

from __future__ import annotations

import collections
import random
import time
from dataclasses import dataclass, field

KINDS = ("throttling", "500", "reset", "short", "malformed")


@dataclass
class Faults:
    """The faults that are switched on; the answer to a request is the name of a fault, or None.

    "throttling" and "500" are error answers; "reset" drops the connection; "short" drops it in the middle of
    a body; "malformed" sends half a body as if it were whole; "denied" is AccessDenied; "missing" says that a
    part of the organization is gone.
    """

    rate_of_faults: float = 0
    kinds: tuple[str, ...] = ("throttling", "500", "reset")
    per_second: float = 0
    burst: float = 100
    denied: frozenset[str] = frozenset()
    fail: tuple[str, int, str] | None = None
    seed: int = 1
    seen: collections.Counter[str] = field(default_factory=collections.Counter)
    calls: collections.Counter[str] = field(default_factory=collections.Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._buckets: dict[int, tuple[float, float]] = {}

    def of(self, service: str, action: str, *, account: int) -> str | None:
        """The fault of this request, counted."""
        self.calls[action] += 1
        fault = self._of(service, action, account)
        if fault:
            self.seen[fault] += 1
        return fault

    def _of(self, service: str, action: str, account: int) -> str | None:
        if f"{service}:{action}" in self.denied:
            return "denied"
        if self.fail and self.fail[0] == action and self.calls[action] >= self.fail[1]:
            return self.fail[2]
        if self.rate_of_faults and self._random.random() < self.rate_of_faults:
            return self._random.choice(self.kinds)
        return "throttling" if self._is_over_budget(account) else None

    def _is_over_budget(self, account: int) -> bool:
        if not self.per_second:
            return False
        now = time.monotonic()
        level, at = self._buckets.get(account, (self.burst, now))
        level = min(self.burst, level + (now - at) * self.per_second)
        self._buckets[account] = (level - 1 if level >= 1 else level, now)
        return level < 1

    def reset(self) -> None:
        """Zero the counters."""
        self.seen.clear()
        self.calls.clear()

    def configure(self, query: dict[str, str]) -> None:
        """Take over the settings of a control request; what it does not name stays."""
        self.rate_of_faults = float(query.get("fault_rate", self.rate_of_faults))
        self.per_second = float(query.get("rate", self.per_second))
        self.burst = float(query.get("burst", self.burst))
        if "fault_kinds" in query:
            self.kinds = tuple(query["fault_kinds"].split(","))
        if "deny" in query:
            self.denied = frozenset(filter(None, query["deny"].split(",")))
        if "fail" in query:
            action, _, rest = query["fail"].partition(":")
            call, _, kind = rest.partition(":")
            self.fail = (action, int(call), kind) if action else None
