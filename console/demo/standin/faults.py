"""Injects latency, throttling, failures and denials for tests."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from console.demo.standin.errors import StandinRefusedError

KINDS = ("throttling", "500", "reset")


class CutOffError(Exception):
    """Raised if the connection must be closed without a response."""


@dataclass
class InjectedFaults:
    """The faults to inject; none at the start."""

    latency_ms: float = 0.0
    rate: float = 0.0
    kinds: tuple[str, ...] = KINDS
    stop_after: int | None = None
    denied: dict[str, set[str]] = field(default_factory=dict)
    requests: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    by_action: Counter[str] = field(default_factory=Counter)
    _random: random.Random = field(default_factory=lambda: random.Random(1))
    _lock: Any = field(default_factory=Lock)

    def configure(self, wanted: dict[str, Any]) -> None:
        """Set `latency_ms`, `rate`, `kinds`, `seed`, `stop_after`, `deny` and `allow`.

        `deny` and `allow` map an account ID, or `*` for all accounts, to a list of `service:Action`. Raises
        ValueError for an unknown setting or kind.
        """
        unknown = set(wanted) - {"latency_ms", "rate", "kinds", "seed", "stop_after", "deny", "allow"}
        kinds = tuple(wanted.get("kinds", self.kinds))
        if unknown or set(kinds) - set(KINDS):
            raise ValueError(f"unknown fault setting: {sorted(unknown) or sorted(kinds)}")
        with self._lock:
            self.kinds = kinds
            self.latency_ms = float(wanted.get("latency_ms", self.latency_ms))
            self.rate = float(wanted.get("rate", self.rate))
            if "seed" in wanted:
                self._random = random.Random(wanted["seed"])
            if "stop_after" in wanted:
                self.stop_after = (
                    None if wanted["stop_after"] is None else self.requests + wanted["stop_after"]
                )
            for account, actions in wanted.get("deny", {}).items():
                self.denied.setdefault(account, set()).update(actions)
            for account, actions in wanted.get("allow", {}).items():
                self.denied.get(account, set()).difference_update(actions)

    def clear(self) -> None:
        """Remove all faults and reset the counters."""
        with self._lock:
            self.latency_ms = self.rate = 0.0
            self.kinds, self.stop_after, self.requests = KINDS, None, 0
            self.denied.clear()
            self.seen.clear()
            self.by_action.clear()

    def delay_or_fail(self, service: str, action: str) -> None:
        """Wait for the latency, then raise StandinRefusedError or CutOffError if a fault is due."""
        with self._lock:
            self.requests += 1
            self.by_action[f"{service}:{action}"] += 1
            stopped = self.stop_after is not None and self.requests > self.stop_after
            hit = self.rate > 0 and self._random.random() < self.rate
            kind = None
            if stopped:
                kind = "reset"
            elif hit:
                kind = self._random.choice(self.kinds)
            latency = self.latency_ms
            if kind:
                self.seen[kind] += 1
        if latency:
            time.sleep(latency / 1000)
        if kind == "reset":
            raise CutOffError
        if kind == "500":
            raise StandinRefusedError("InternalFailure", "An internal error has occurred", status=500)
        if kind == "throttling":
            raise StandinRefusedError("Throttling", "Rate exceeded", status=400)

    def is_denied(self, *, account: str, service: str, action: str) -> bool:
        """Return True if the action is on the deny list of the account or of all accounts."""
        name = f"{service}:{action}"
        return any(name in self.denied.get(key, ()) for key in (account, "*"))

    def describe(self) -> dict[str, Any]:
        """Return the settings and counters for JSON."""
        return {
            "latency_ms": self.latency_ms,
            "rate": self.rate,
            "kinds": list(self.kinds),
            "stop_after": self.stop_after,
            "denied": {account: sorted(actions) for account, actions in self.denied.items() if actions},
            "requests": self.requests,
            "struck": dict(self.seen),
            "by_action": dict(self.by_action.most_common()),
        }
