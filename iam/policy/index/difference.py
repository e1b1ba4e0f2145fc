"""The access that principals gain and lose between two states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.counts import ActionCount, by_service
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.index import PolicyIndex
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.sides import PrincipalSide
from iam.policy.index.witness import ChangeWitness, PrincipalChange, witness_of
from iam.policy.memory import collecting_paused

NOTHING = AllowedActionSets(0, 0, 0)


@dataclass(frozen=True)
class AccessShift:
    """What some principals could do before and can do after. There is a witness for each action in the sets
    below.
    """

    before: AllowedActionSets
    after: AllowedActionSets
    change: PrincipalChange = field(default_factory=PrincipalChange)

    def __hash__(self) -> int:
        # Hashing all proofs takes longer than comparing the few shifts that are equal in these.
        return hash((self.before, self.after))

    @property
    def gained(self) -> int:
        """Actions of which nothing was allowed before, and something is after."""
        return self._by_sort.get("gained", 0)

    @property
    def wider(self) -> int:
        """Actions that were allowed before, and are allowed on more resources or in more circumstances
        after.
        """
        return self._by_sort.get("wider", 0)

    @property
    def altered(self) -> int:
        """Actions with some newly allowed requests and some that are no longer allowed."""
        return self._by_sort.get("altered", 0)

    @property
    def lost(self) -> int:
        """Actions of which something was allowed before, and nothing is after."""
        return self._by_sort.get("lost", 0)

    @property
    def conditional(self) -> int:
        """Actions that are allowed before and after, but after only in some circumstances."""
        return self._by_sort.get("conditional", 0)

    @property
    def narrower(self) -> int:
        """Actions that are allowed before and after, but after on fewer resources."""
        return self._by_sort.get("narrower", 0)

    @property
    def any_gain(self) -> int:
        """Actions with some newly allowed request."""
        return self.gained | self.wider | self.altered

    @property
    def any_loss(self) -> int:
        """Actions with some request that is no longer allowed."""
        return self.lost | self.narrower | self.conditional | self.altered

    @cached_property
    def _by_sort(self) -> dict[str, int]:
        masks: dict[str, int] = {}
        for mask, verdict in self.change.proofs:
            sort = verdict.sort
            masks[sort] = masks.get(sort, 0) | mask
        return masks

    @property
    def is_nothing(self) -> bool:
        """True if no decision differs."""
        return all(verdict.is_nothing for _, verdict in self.change.proofs)

    def witnesses(
        self, action: str, bit: int, *, before: PrincipalSide, after: PrincipalSide
    ) -> tuple[ChangeWitness, ...]:
        """A newly allowed request for an action and one that is no longer allowed, as far as they exist."""
        verdict = self.change.own(before, after, within=bit).verdict_of(bit)
        if verdict is None:
            return ()
        witnesses = []
        if verdict.more is not None:
            witnesses.append(witness_of(after, action, verdict.more, was_allowed=False))
        if verdict.less is not None:
            witnesses.append(witness_of(before, action, verdict.less, was_allowed=True))
        return tuple(witnesses)


class FindsShifts(Protocol):
    """The result of comparing principals before and after."""

    @property
    def affected(self) -> int:
        """The number of principals for whom some decision differs."""
        ...

    def sides_of(self, number: int) -> tuple[PrincipalSide, PrincipalSide]:
        """A principal before and after, by number."""
        ...

    def shifts(self) -> Iterable[tuple[IndexedPrincipal, AccessShift]]:
        """Each principal with what it can do before and after."""
        ...


class ListedShifts:
    """Shifts that are already computed."""

    def __init__(
        self,
        shifts: Sequence[tuple[IndexedPrincipal, AccessShift]],
        sides_of: Callable[[int], tuple[PrincipalSide, PrincipalSide]],
    ) -> None:
        self._shifts, self._sides_of = shifts, sides_of

    @property
    def affected(self) -> int:
        """The number of principals for whom some decision differs."""
        return sum(not shift.is_nothing for _, shift in self._shifts)

    def sides_of(self, number: int) -> tuple[PrincipalSide, PrincipalSide]:
        """A principal before and after, by number."""
        return self._sides_of(number)

    def shifts(self) -> Sequence[tuple[IndexedPrincipal, AccessShift]]:
        """The shifts as given."""
        return self._shifts


class AccessDifference:
    """Principals with different decisions or different effective actions.

    `sides_of` gives a principal before and after, by number. `index_after` gives the index after the change
    with the principals concerned, who are placed in it on first use.
    """

    def __init__(
        self, space: ActionNumbering, compared: FindsShifts, index_after: Callable[[], PolicyIndex]
    ) -> None:
        self.space, self._compared, self.index_after = space, compared, index_after
        self.sides_of = compared.sides_of

    @cached_property
    def affected(self) -> int:
        """The number of principals for whom some decision differs."""
        return self._compared.affected

    @cached_property
    def shifts(self) -> dict[AccessShift, list[IndexedPrincipal]]:
        """The principals, grouped by equal shifts, on first use; `affected` doesn't need them. Includes
        principals for whom no change could be proved; `proved` omits them.
        """
        with collecting_paused():
            return _together(self._compared.shifts())

    @property
    def proved(self) -> Iterator[tuple[AccessShift, list[IndexedPrincipal]]]:
        """The shifts with a witness."""
        return ((shift, members) for shift, members in self.shifts.items() if not shift.is_nothing)

    @property
    def unchanged(self) -> Iterator[tuple[AccessShift, list[IndexedPrincipal]]]:
        """The shifts of principals whose policies change without any effect."""
        return (
            (shift, members)
            for shift, members in self.shifts.items()
            if shift.is_nothing and shift.change.proofs
        )

    def counts(self, mask: int) -> dict[str, dict[str, ActionCount]]:
        """The number of actions in a set, such as `shift.gained`, by service and access level."""
        counts_by_service = by_service(AllowedActionSets(mask, 0, 0), self.space)
        return {
            prefix: {str(level): count for level, count in levels.items()}
            for prefix, levels in counts_by_service.items()
        }

    def names(self, mask: int) -> tuple[str, ...]:
        """The names of the actions in a set."""
        return self.space.actions.names(mask)


def _together(
    shifts: Iterable[tuple[IndexedPrincipal, AccessShift]],
) -> dict[AccessShift, list[IndexedPrincipal]]:
    """Group principals by equal shifts, without those for whom nothing changes."""
    alike: dict[tuple[int, int, int], tuple[AccessShift, list[IndexedPrincipal]]] = {}
    for member, shift in shifts:
        # Equal values are usually one object. Comparing integers of many thousand bits per member would be
        # slow.
        key = (id(shift.before), id(shift.after), id(shift.change))
        known = alike.get(key)
        if known is None:
            alike[key] = (shift, [member])
        else:
            known[1].append(member)
    members_by_shift: dict[AccessShift, list[IndexedPrincipal]] = {}
    for shift, members in alike.values():
        if shift.before != shift.after or shift.change.proofs:
            members_by_shift.setdefault(shift, []).extend(members)
    return members_by_shift
