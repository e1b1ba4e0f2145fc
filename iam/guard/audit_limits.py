"""What a limited auditor sees: some frameworks, some evidence packs, a period, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class AuditLimits:
    """The limits of all auditor roles of a person; what is empty limits nothing. `accounts` are those of the
    roles, None for all. `until` is exclusive; what was built before `set_at` had other limits.
    """

    accounts: frozenset[str] | None
    frameworks: frozenset[str]
    packs: frozenset[str]
    since: datetime | None
    until: datetime | None
    set_at: datetime

    @property
    def is_period_only(self) -> bool:
        """Whether neither frameworks nor packs were chosen: the journal of the period is seen too."""
        return not (self.frameworks or self.packs)

    @property
    def sees_frameworks(self) -> bool:
        """Whether any framework is seen: who was given packs alone sees none."""
        return bool(self.frameworks) or not self.packs

    def sees_framework(self, name: str) -> bool:
        """Whether the pages of this framework are seen."""
        return name in self.frameworks if self.frameworks else self.sees_frameworks

    def covers(self, moment: datetime) -> bool:
        """Whether a moment is within the period."""
        return not ((self.since and moment < self.since) or (self.until and moment >= self.until))

    def covers_period(self, since: datetime, until: datetime) -> bool:
        """Whether a period is within this one."""
        return not ((self.since and since < self.since) or (self.until and until > self.until))

    def last_moment(self, *, now: datetime) -> datetime | None:
        """The end of a period that is over, which pages show instead of now."""
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
    """The limits of someone who audits these accounts, "" for all."""
    numbers = frozenset(accounts)
    limited = None if "" in numbers else numbers
    return AuditLimits(limited, frozenset(frameworks), frozenset(packs), since, until, set_at)
