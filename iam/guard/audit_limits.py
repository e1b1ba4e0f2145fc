"""The limits of an auditor who can see only some frameworks, some evidence packs, and a period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class AuditLimits:
    """The limits of all auditor roles of a person. Empty ones limit nothing. `accounts` are those of the
    roles, None for all. `until` is exclusive. Packs built before `set_at` were built under other limits.
    """

    accounts: frozenset[str] | None
    frameworks: frozenset[str]
    packs: frozenset[str]
    since: datetime | None
    until: datetime | None
    set_at: datetime

    @property
    def is_period_only(self) -> bool:
        """True if neither frameworks nor packs are limited, so that the journal of the period is
        visible too.
        """
        return not (self.frameworks or self.packs)

    @property
    def sees_frameworks(self) -> bool:
        """True if any framework is visible. It is False if only packs were given."""
        return bool(self.frameworks) or not self.packs

    def sees_framework(self, name: str) -> bool:
        """Return True if the pages of this framework are visible."""
        return name in self.frameworks if self.frameworks else self.sees_frameworks

    def covers(self, moment: datetime) -> bool:
        """Return True if a time is within the period."""
        return not ((self.since and moment < self.since) or (self.until and moment >= self.until))

    def last_moment(self, *, now: datetime) -> datetime | None:
        """Return the end of a period that is over, which pages show instead of now, or None."""
        if self.until is None or now < self.until:
            return None
        return self.until - timedelta(seconds=1)


def limits_of(
    accounts: Iterable[str],
    *,
    frameworks: Iterable[str],
    packs: Iterable[str],
    since: datetime | None,
    until: datetime | None,
    set_at: datetime,
) -> AuditLimits:
    """Return the limits of an auditor of these accounts ("" for all)."""
    numbers = frozenset(accounts)
    limited = None if "" in numbers else numbers
    return AuditLimits(limited, frozenset(frameworks), frozenset(packs), since, until, set_at)
