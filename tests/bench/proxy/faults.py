"""What the proxy does to a request, drawn from a seeded sequence."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

THROTTLE, FAIL, RESET, FAIL_AFTER, RESET_AFTER, LATE = (
    "throttle",
    "fail",
    "reset",
    "fail-after",
    "reset-after",
    "late",
)
KINDS = (THROTTLE, FAIL, RESET, FAIL_AFTER, RESET_AFTER, LATE)
"""Refused as too fast; a server error, or a broken connection, before AWS has seen it; the same after it has
carried it out; the true answer, late.
"""


@dataclass
class Faults:
    """`rates` are shares of the requests by kind, `late` is how many seconds a late answer takes; `latency`
    is how long each takes at least.
    """

    latency: float = 0.0
    late: float = 3.0
    rates: dict[str, float] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    def configure(self, wanted: dict[str, Any]) -> None:
        """Take over `latency`, `late` (seconds), `rates` and `seed`. Raises ValueError for what is none of
        these.
        """
        unknown = set(wanted) - {"latency", "late", "rates", "seed"} | set(wanted.get("rates", {})) - set(
            KINDS
        )
        if unknown:
            raise ValueError(f"unknown: {sorted(unknown)}")
        self.latency = float(wanted.get("latency", self.latency))
        self.late = float(wanted.get("late", self.late))
        self.rates = {kind: float(share) for kind, share in wanted.get("rates", self.rates).items()}
        if "seed" in wanted:
            self._random = random.Random(wanted["seed"])

    def strike(self, action: str) -> str:
        """What happens to this request; empty for nothing."""
        self.requests[action] += 1
        if not self.rates:
            return ""
        drawn = self._random.random()
        for kind, share in self.rates.items():
            drawn -= share
            if drawn < 0:
                self.seen[kind] += 1
                return kind
        return ""

    def describe(self) -> dict[str, Any]:
        """Counters, ready for JSON."""
        return {"requests": dict(self.requests.most_common()), "struck": dict(self.seen)}
