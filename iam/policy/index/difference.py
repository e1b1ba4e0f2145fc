"""Who gains and who loses what, between two states of what principals hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from iam.policy.index.classes import Member
from iam.policy.index.counts import Count, by_service
from iam.policy.index.effective import Effective
from iam.policy.index.masks import Space

NOTHING = Effective(0, 0, 0)


class Shift(NamedTuple):
    """What one sort of principals could do before, and can do after. `touched` are actions of which statements were changed."""

    before: Effective
    after: Effective
    touched: int = 0

    @property
    def gained(self) -> int:
        """Allowed after in some way, and not before."""
        return self.after.any & ~self.before.any

    @property
    def lost(self) -> int:
        """Allowed before in some way, and not after."""
        return self.before.any & ~self.after.any

    @property
    def wider(self) -> int:
        """Allowed before and after, and after on more resources or under fewer conditions."""
        before, after = self.before, self.after
        return before.any & after.everywhere & ~before.everywhere | before.conditional & after.limited

    @property
    def narrower(self) -> int:
        """Allowed before and after, and after on fewer resources or under more conditions."""
        return Shift(self.after, self.before).wider

    @property
    def becomes_conditional(self) -> int:
        """Those of the narrower ones that depend on conditions after."""
        return self.after.conditional & (self.before.everywhere | self.before.limited)

    @property
    def altered(self) -> int:
        """Limited or conditional before and after alike, by other statements: the resources or the conditions may be others."""
        before, after = self.before, self.after
        return self.touched & (before.limited & after.limited | before.conditional & after.conditional)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is different."""
        return self.before == self.after and not self.altered


@dataclass(frozen=True, slots=True)
class Difference:
    """Principals whose effective actions differ, those with the same shift together."""

    space: Space
    shifts: dict[Shift, list[Member]]

    @property
    def affected(self) -> int:
        """How many principals."""
        return sum(len(members) for members in self.shifts.values())

    def counts(self, mask: int) -> dict[str, dict[str, Count]]:
        """Actions of a set, such as `shift.gained`, by service and access level."""
        found = by_service(Effective(mask, 0, 0), self.space)
        return {
            prefix: {str(level): count for level, count in levels.items()} for prefix, levels in found.items()
        }

    def names(self, mask: int) -> tuple[str, ...]:
        """Actions of a set."""
        return self.space.actions.names(mask)


def difference(space: Space, shifts: Iterable[tuple[Member, Shift]]) -> Difference:
    """Put together who shifts alike, and leave out who does not."""
    found: dict[Shift, list[Member]] = {}
    for member, shift in shifts:
        if not shift.is_nothing:
            found.setdefault(shift, []).append(member)
    return Difference(space, found)
