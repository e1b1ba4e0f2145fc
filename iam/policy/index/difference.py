"""Who gains and who loses what, between two states of what principals hold."""

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
    """What some principals could do before, and can do after. Every set of actions below has a witness for
    each of its actions.
    """

    before: AllowedActionSets
    after: AllowedActionSets
    change: PrincipalChange = field(default_factory=PrincipalChange)

    def __hash__(self) -> int:
        # To hash every proof takes longer than to compare the few shifts that have these in common.
        return hash((self.before, self.after))

    @property
    def gained(self) -> int:
        """Nothing of it was allowed before, and something is after."""
        return self._by_sort.get("gained", 0)

    @property
    def wider(self) -> int:
        """Allowed before, and after on more resources or in more circumstances."""
        return self._by_sort.get("wider", 0)

    @property
    def altered(self) -> int:
        """Some requests are allowed that were not, and others no longer."""
        return self._by_sort.get("altered", 0)

    @property
    def lost(self) -> int:
        """Something of it was allowed before, and nothing is after."""
        return self._by_sort.get("lost", 0)

    @property
    def conditional(self) -> int:
        """Allowed before and after, and after only in some circumstances."""
        return self._by_sort.get("conditional", 0)

    @property
    def narrower(self) -> int:
        """Allowed before and after, and after on fewer resources."""
        return self._by_sort.get("narrower", 0)

    @property
    def any_gain(self) -> int:
        """Some request is allowed that was not."""
        return self.gained | self.wider | self.altered

    @property
    def any_loss(self) -> int:
        """Some request is no longer allowed."""
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
        """Whether no request is answered differently."""
        return all(verdict.is_nothing for _, verdict in self.change.proofs)

    def witnesses(
        self, action: str, bit: int, *, before: PrincipalSide, after: PrincipalSide
    ) -> tuple[ChangeWitness, ...]:
        """A request for an action that is newly allowed, and one that is no longer, as far as there are
        any.
        """
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
    """Has compared principals before and after."""

    @property
    def affected(self) -> int:
        """Of how many some request is answered differently."""
        ...

    def sides_of(self, number: int) -> tuple[PrincipalSide, PrincipalSide]:
        """A principal by its number, before and after."""
        ...

    def shifts(self) -> Iterable[tuple[IndexedPrincipal, AccessShift]]:
        """Each of them, with what it can do before and after."""
        ...


class ListedShifts:
    """What somebody has compared already."""

    def __init__(
        self,
        shifts: Sequence[tuple[IndexedPrincipal, AccessShift]],
        sides_of: Callable[[int], tuple[PrincipalSide, PrincipalSide]],
    ) -> None:
        self._shifts, self._sides_of = shifts, sides_of

    @property
    def affected(self) -> int:
        """Of how many some request is answered differently."""
        return sum(not shift.is_nothing for _, shift in self._shifts)

    def sides_of(self, number: int) -> tuple[PrincipalSide, PrincipalSide]:
        """A principal by its number, before and after."""
        return self._sides_of(number)

    def shifts(self) -> Sequence[tuple[IndexedPrincipal, AccessShift]]:
        """As they are listed."""
        return self._shifts


class AccessDifference:
    """Principals for whom requests are answered differently, or whose effective actions differ. `sides_of` is
    a principal by its number, before and after; `index_after` gives the index as it would be, with those whom
    the edits concern, who are placed in it when it is asked for.
    """

    def __init__(
        self, space: ActionNumbering, compared: FindsShifts, index_after: Callable[[], PolicyIndex]
    ) -> None:
        self.space, self._compared, self.index_after = space, compared, index_after
        self.sides_of = compared.sides_of

    @cached_property
    def affected(self) -> int:
        """Of how many some request is answered differently."""
        return self._compared.affected

    @cached_property
    def shifts(self) -> dict[AccessShift, list[IndexedPrincipal]]:
        """Those with the same shift together, put together when somebody looks at them: to tell how many are
        affected takes none. They hold those too of whom nothing could be proved to change; `proved` leaves
        them out.
        """
        with collecting_paused():
            return _together(self._compared.shifts())

    @property
    def proved(self) -> Iterator[tuple[AccessShift, list[IndexedPrincipal]]]:
        """The shifts with a witness."""
        return ((shift, members) for shift, members in self.shifts.items() if not shift.is_nothing)

    @property
    def unchanged(self) -> Iterator[tuple[AccessShift, list[IndexedPrincipal]]]:
        """Those to whom something is given or taken away without any effect."""
        return (
            (shift, members)
            for shift, members in self.shifts.items()
            if shift.is_nothing and shift.change.proofs
        )

    def counts(self, mask: int) -> dict[str, dict[str, ActionCount]]:
        """Actions of a set, such as `shift.gained`, by service and access level."""
        counts_by_service = by_service(AllowedActionSets(mask, 0, 0), self.space)
        return {
            prefix: {str(level): count for level, count in levels.items()}
            for prefix, levels in counts_by_service.items()
        }

    def names(self, mask: int) -> tuple[str, ...]:
        """Actions of a set."""
        return self.space.actions.names(mask)


def _together(
    shifts: Iterable[tuple[IndexedPrincipal, AccessShift]],
) -> dict[AccessShift, list[IndexedPrincipal]]:
    """Put together who shifts alike, and leave out who does not."""
    alike: dict[tuple[int, int, int], tuple[AccessShift, list[IndexedPrincipal]]] = {}
    for member, shift in shifts:
        # What is the same is mostly one object; comparing numbers of many thousand bits for each member takes
        # long.
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
