"""What two principals can do, or one at two moments, held against each other: action by action, and because
of what.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Any

from django.utils import timezone

from iam.access.effective import AccessGrade, ApplicableStatement, EffectiveAccess, read_access
from iam.access.principals import AskingPrincipal
from iam.changes.operations.permission_delta import risky_actions
from iam.mirror.snapshot import snapshot
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.document import Statement
from iam.policy.index.counts import ActionCount, by_service
from iam.policy.index.difference import NOTHING, AccessShift
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.sides import PrincipalSide as Holder
from iam.policy.index.sides import side_of
from iam.policy.index.witness import ChangeProver, ChangeWitness, PrincipalChange


class DifferenceSort(StrEnum):
    """How an action differs between the left and the right."""

    ONLY_RIGHT = "only-right"
    ONLY_LEFT = "only-left"
    WIDER = "wider"
    NARROWER = "narrower"
    ALTERED = "altered"
    """Each side is allowed requests that the other is not."""


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One side of a comparison: who, and when (None: now)."""

    who: AskingPrincipal
    at: datetime | None


@dataclass(frozen=True, slots=True)
class SideAccess:
    """What one side can do; None where it was not there then. `holder` is it with all that has a say, its
    limits too.
    """

    moment: ComparedSide
    access: EffectiveAccess | None
    holder: Holder | None = None


@dataclass(frozen=True, slots=True)
class DifferenceCause:
    """A statement because of which actions differ; `is_right` says on which side it stands."""

    applicable: ApplicableStatement
    is_right: bool


@dataclass(frozen=True, slots=True)
class DifferenceGroup:
    """Actions of one service, access level and sort that have the same grades and the same causes. Level
    None: AWS does not list them.
    """

    sort: DifferenceSort
    level: AccessLevel | None
    names: tuple[str, ...]
    left: AccessGrade | None
    right: AccessGrade | None
    causes: tuple[DifferenceCause, ...]
    is_risky: bool
    """Whether anyone who has them can give themselves or others more."""


DifferenceMeaning = tuple[
    DifferenceSort,
    AccessLevel | None,
    AccessGrade | None,
    AccessGrade | None,
    tuple[DifferenceCause, ...],
]
"""What actions of one group have in common: its fields but for the names."""


@dataclass(frozen=True, slots=True)
class ServiceDifference:
    """What differs of one service; counts of each side by level, for its bars."""

    prefix: str
    title: str
    left: dict[AccessLevel, ActionCount]
    right: dict[AccessLevel, ActionCount]
    numbers: dict[DifferenceSort, int]
    unlisted: dict[DifferenceSort, int]
    """Of names that AWS does not list."""

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return any(self.numbers.values()) or any(self.unlisted.values())


@dataclass(frozen=True)
class AccessComparison:
    """Two sides, and how what they can do differs."""

    left: SideAccess
    right: SideAccess

    @cached_property
    def shift(self) -> AccessShift:
        """From left to right, as sets of actions that AWS lists."""

        def listed_part(side: SideAccess) -> AllowedActionSets:
            if side.access is None:
                return NOTHING
            return AllowedActionSets(*map(catalogue().listed, side.access.found))

        return AccessShift(listed_part(self.left), listed_part(self.right), self._change)

    @cached_property
    def _change(self) -> PrincipalChange:
        """What a request of the right is answered and the same of the left is not, and the reverse; no
        request is older than the left.
        """
        access = self.right.access or self.left.access
        if access is None or self._sides is None:
            return PrincipalChange()
        moments = [side.moment.at or timezone.now() for side in (self.left, self.right)]
        return ChangeProver(access.space, min(moments)).change(*self._sides)

    @cached_property
    def _sides(self) -> tuple[Holder, Holder] | None:
        """Both as the engine asks them; who was not there held nothing."""
        left, right = self.left.holder, self.right.holder
        if left is None or right is None:
            there = left or right
            if there is None:
                return None
            absent = replace(there, docs=())
            return (absent, there) if left is None else (there, absent)
        return left, right

    @cached_property
    def masks(self) -> dict[DifferenceSort, int]:
        """The actions of each sort, each action in one of them; each is proved by a request."""
        shift = self.shift
        listed = catalogue().listed
        return {
            DifferenceSort.ONLY_RIGHT: listed(shift.gained),
            DifferenceSort.ONLY_LEFT: listed(shift.lost),
            DifferenceSort.WIDER: listed(shift.wider),
            DifferenceSort.NARROWER: listed(shift.narrower | shift.conditional),
            DifferenceSort.ALTERED: listed(shift.altered),
        }

    def witnesses(self, name: str) -> tuple[ChangeWitness, ...]:
        """Requests for an action that the right is allowed and the left is not, and the reverse."""
        if self._sides is None:
            return ()
        before, after = self._sides
        return self.shift.witnesses(name, self._bit(name), before=before, after=after)

    @cached_property
    def unlisted(self) -> dict[DifferenceSort, tuple[str, ...]]:
        """Names that AWS does not list, that a side has in its policies, and that only this side is
        allowed.
        """
        return {
            DifferenceSort.ONLY_RIGHT: self._unlisted_only(self.right, other=self.left),
            DifferenceSort.ONLY_LEFT: self._unlisted_only(self.left, other=self.right),
        }

    def _unlisted_only(self, side: SideAccess, *, other: SideAccess) -> tuple[str, ...]:
        names = side.access.names if side.access else ()
        return tuple(name for name in names if self._grade(name, other.access) is None)

    def number(self, sort: DifferenceSort) -> int:
        """How many actions that AWS lists are of a sort."""
        return self.masks[sort].bit_count()

    def number_unlisted(self, sort: DifferenceSort) -> int:
        """How many names that AWS does not list are of a sort."""
        return len(self.unlisted.get(sort, ()))

    @property
    def in_both(self) -> int:
        """How many actions both sides can do in some way."""
        return (self.shift.before.allowed_mask & self.shift.after.allowed_mask).bit_count()

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not any(self.number(sort) or self.number_unlisted(sort) for sort in DifferenceSort)

    @cached_property
    def risky(self) -> int:
        """Actions by which somebody can give themselves or others more."""
        access = self.right.access or self.left.access
        return 0 if access is None else risky_actions(access.space)[1]

    @property
    def risks(self) -> tuple[int, int]:
        """How many risky actions the left and the right can do."""
        return tuple(
            (part.allowed_mask & self.risky).bit_count() for part in (self.shift.before, self.shift.after)
        )  # type: ignore[return-value]

    @property
    def undecided(self) -> tuple[tuple[str, str], ...]:
        """(policy, problem) of what could not be understood, on either side."""
        problems: list[tuple[str, str]] = []
        for side in (self.left, self.right):
            if side.access:
                problems += [(policy, problem) for _, policy, problem in side.access.basis.unread]
        return tuple(dict.fromkeys(problems))

    @cached_property
    def services(self) -> list[ServiceDifference]:
        """The services of which either side can do something, by title."""
        before, after = self.left.access, self.right.access
        left = by_service(self.shift.before, before.space) if before else {}
        right = by_service(self.shift.after, after.space) if after else {}
        names = chain.from_iterable(self.unlisted.values())
        unlisted = {name.partition(":")[0].lower() for name in names}
        services = [
            ServiceDifference(
                prefix,
                catalogue().title(prefix),
                left.get(prefix, {}),
                right.get(prefix, {}),
                {sort: self._number_of(sort, prefix) for sort in DifferenceSort},
                {sort: len(self._unlisted_of(sort, prefix)) for sort in self.unlisted},
            )
            for prefix in {*left, *right, *unlisted}
        ]
        return sorted(services, key=lambda service: (service.title.lower(), service.prefix))

    def _number_of(self, sort: DifferenceSort, prefix: str) -> int:
        return (self.masks[sort] & catalogue().mask_of_service(prefix)).bit_count()

    def _unlisted_of(self, sort: DifferenceSort, prefix: str) -> tuple[str, ...]:
        names = self.unlisted.get(sort, ())
        return tuple(name for name in names if name.partition(":")[0].lower() == prefix)

    def groups(self, prefix: str) -> list[DifferenceGroup]:
        """What differs of one service, the same together: by sort, then by level."""
        names_by_meaning: dict[DifferenceMeaning, list[str]] = {}
        for sort, name, level in self._differing(prefix):
            left = self._grade(name, self.left.access)
            right = self._grade(name, self.right.access)
            causes = self.causes(sort, self._bit(name))
            names_by_meaning.setdefault((sort, level, left, right, causes), []).append(name)
        groups = []
        for (sort, level, left, right, causes), names in names_by_meaning.items():
            is_risky = any(self.risky & self._bit(name) for name in names)
            groups.append(
                DifferenceGroup(
                    sort=sort,
                    level=level,
                    names=tuple(names),
                    left=left,
                    right=right,
                    causes=causes,
                    is_risky=is_risky,
                )
            )
        sorts, levels = list(DifferenceSort), [*AccessLevel, None]
        return sorted(groups, key=lambda group: (sorts.index(group.sort), levels.index(group.level)))

    def _differing(self, prefix: str) -> Iterator[tuple[DifferenceSort, str, AccessLevel | None]]:
        known = catalogue()
        service = known.mask_of_service(prefix)
        for sort, mask in self.masks.items():
            for name in known.names(mask & service):
                yield sort, name, known.level(name)
            for name in self._unlisted_of(sort, prefix):
                yield sort, name, None

    def _bit(self, name: str) -> int:
        """Both sides have the same numbers of actions, and so have all moments of a process."""
        access = self.right.access or self.left.access
        place = None if access is None else access.space.actions.index_of(name)
        return 0 if place is None else 1 << place

    def _grade(self, name: str, access: EffectiveAccess | None) -> AccessGrade | None:
        if access is None:
            return None
        bit = self._bit(name)
        return next((grade for grade in AccessGrade if getattr(access.found, str(grade)) & bit), None)

    def causes(self, sort: DifferenceSort, mask: int) -> tuple[DifferenceCause, ...]:
        """The statements about some actions that only one side has: those that explain the difference.

        Empty where a boundary or the organization makes it.
        """
        left = [DifferenceCause(entry, False) for entry in self._only_left if entry.mask & mask]
        right = [DifferenceCause(entry, True) for entry in self._only_right if entry.mask & mask]
        if sort is DifferenceSort.ALTERED:
            return (*left, *right)
        is_less = sort in {DifferenceSort.ONLY_LEFT, DifferenceSort.NARROWER}
        more, less = (left, right) if is_less else (right, left)
        allows = [cause for cause in more if cause.applicable.statement.allows]
        denies = [cause for cause in less if not cause.applicable.statement.allows]
        return (*allows, *denies)

    def causes_of(self, prefix: str) -> tuple[DifferenceCause, ...]:
        """The statements because of which anything of a service differs, each once."""
        service = catalogue().mask_of_service(prefix)
        causes: list[DifferenceCause] = []
        for sort, mask in self.masks.items():
            if mask & service:
                causes += self.causes(sort, mask & service)
        for sort in self.unlisted:
            for name in self._unlisted_of(sort, prefix):
                causes += self.causes(sort, self._bit(name))
        return tuple(dict.fromkeys(causes))

    @cached_property
    def _only_left(self) -> list[ApplicableStatement]:
        return _only_on_side(self.left, self.right)

    @cached_property
    def _only_right(self) -> list[ApplicableStatement]:
        return _only_on_side(self.right, self.left)


def _only_on_side(mine: SideAccess, other: SideAccess) -> list[ApplicableStatement]:
    """The statements that one side holds and the other does not, wherever they stand."""
    theirs = (
        {_statement_meaning(entry.statement) for entry in other.access.applicable_statements}
        if other.access
        else set()
    )
    my_statements = mine.access.applicable_statements if mine.access else ()
    return [entry for entry in my_statements if _statement_meaning(entry.statement) not in theirs]


def _statement_meaning(statement: Statement) -> tuple[Any, ...]:
    """What a statement says, wherever it stands."""
    return (
        statement.allows,
        statement.actions,
        statement.is_not_action,
        statement.resources,
        statement.is_not_resource,
        statement.conditions,
    )


def compare(left: ComparedSide, right: ComparedSide) -> AccessComparison:
    """Hold two sides against each other. Both moments are read before either is judged, so that both have the
    same names.
    """
    with snapshot(left.at, accounts=[left.who.account], may_lag=True):
        pass
    second = _side(right)
    return AccessComparison(_side(left), second)


def _side(moment: ComparedSide) -> SideAccess:
    with snapshot(moment.at, accounts=[moment.who.account], may_lag=True) as index:
        member = index.member(moment.who.account, moment.who.number)
        if member is None:
            return SideAccess(moment, None)
        shard = index.accounts[moment.who.account]
        return SideAccess(moment, read_access(index, member), side_of(member, shard))
