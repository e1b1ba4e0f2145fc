"""Compares the access of two principals, or of one principal at two moments, action by action and with
causes.
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
from iam.mirror.snapshot import snapshot
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.document import Statement
from iam.policy.index.counts import ActionCount, by_service
from iam.policy.index.difference import NOTHING, AccessShift
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.permission_delta import risky_actions
from iam.policy.index.sides import PrincipalSide as Holder
from iam.policy.index.sides import side_of
from iam.policy.index.witness import ChangeProver, ChangeWitness, PrincipalChange


class DifferenceSort(StrEnum):
    """How an action differs between the left and the right side."""

    ONLY_RIGHT = "only-right"
    ONLY_LEFT = "only-left"
    WIDER = "wider"
    NARROWER = "narrower"
    ALTERED = "altered"
    """Each side is allowed requests that the other is not."""


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One side of a comparison: the principal and the moment (None: now)."""

    who: AskingPrincipal
    at: datetime | None


@dataclass(frozen=True, slots=True)
class SideAccess:
    """The access of one side; `access` is None if the principal did not exist then.

    `holder` is the principal with all its policies and limits.
    """

    moment: ComparedSide
    access: EffectiveAccess | None
    holder: Holder | None = None


@dataclass(frozen=True, slots=True)
class DifferenceCause:
    """A statement that makes actions differ; `is_right` tells which side has it."""

    applicable: ApplicableStatement
    is_right: bool


@dataclass(frozen=True, slots=True)
class DifferenceGroup:
    """Actions of one service, access level and sort with the same grades and causes.

    `level` is None for actions that AWS does not list.
    """

    sort: DifferenceSort
    level: AccessLevel | None
    names: tuple[str, ...]
    left: AccessGrade | None
    right: AccessGrade | None
    causes: tuple[DifferenceCause, ...]
    is_risky: bool
    """True if the actions let a principal give itself or others more access."""


DifferenceMeaning = tuple[
    DifferenceSort,
    AccessLevel | None,
    AccessGrade | None,
    AccessGrade | None,
    tuple[DifferenceCause, ...],
]
"""The fields that all actions of a group share."""


@dataclass(frozen=True, slots=True)
class ServiceDifference:
    """The differences in one service, with the counts of each side by access level for the bars."""

    prefix: str
    title: str
    left: dict[AccessLevel, ActionCount]
    right: dict[AccessLevel, ActionCount]
    numbers: dict[DifferenceSort, int]
    unlisted: dict[DifferenceSort, int]
    """The number of differing actions that AWS does not list."""

    @property
    def differs(self) -> bool:
        """True if any action differs."""
        return any(self.numbers.values()) or any(self.unlisted.values())


@dataclass(frozen=True)
class AccessComparison:
    """Two sides, and the differences in their access."""

    left: SideAccess
    right: SideAccess

    @cached_property
    def shift(self) -> AccessShift:
        """The change from left to right, as sets of actions that AWS lists."""

        def listed_part(side: SideAccess) -> AllowedActionSets:
            if side.access is None:
                return NOTHING
            return AllowedActionSets(*map(catalogue().listed, side.access.found))

        return AccessShift(listed_part(self.left), listed_part(self.right), self._change)

    @cached_property
    def _change(self) -> PrincipalChange:
        """Compares the answers of both sides to the same requests, none of which is older than the
        left side.
        """
        access = self.right.access or self.left.access
        if access is None or self._sides is None:
            return PrincipalChange()
        moments = [side.moment.at or timezone.now() for side in (self.left, self.right)]
        return ChangeProver(access.space, min(moments)).change(*self._sides)

    @cached_property
    def _sides(self) -> tuple[Holder, Holder] | None:
        """Both sides as the engine evaluates them; a principal that did not exist holds no policies."""
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
        """The differing actions by sort, as bit masks. Each difference is proven by a request."""
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
        """Requests for an action that only one side is allowed."""
        if self._sides is None:
            return ()
        before, after = self._sides
        return self.shift.witnesses(name, self._bit(name), before=before, after=after)

    @cached_property
    def unlisted(self) -> dict[DifferenceSort, tuple[str, ...]]:
        """Action names in policies that AWS does not list and that only one side is allowed."""
        return {
            DifferenceSort.ONLY_RIGHT: self._unlisted_only(self.right, other=self.left),
            DifferenceSort.ONLY_LEFT: self._unlisted_only(self.left, other=self.right),
        }

    def _unlisted_only(self, side: SideAccess, *, other: SideAccess) -> tuple[str, ...]:
        names = side.access.names if side.access else ()
        return tuple(name for name in names if self._grade(name, other.access) is None)

    def number(self, sort: DifferenceSort) -> int:
        """The number of differing listed actions of a sort."""
        return self.masks[sort].bit_count()

    def number_unlisted(self, sort: DifferenceSort) -> int:
        """The number of differing unlisted action names of a sort."""
        return len(self.unlisted.get(sort, ()))

    @property
    def in_both(self) -> int:
        """The number of actions that both sides can do in some way."""
        return (self.shift.before.allowed_mask & self.shift.after.allowed_mask).bit_count()

    @property
    def is_same(self) -> bool:
        """True if nothing differs."""
        return not any(self.number(sort) or self.number_unlisted(sort) for sort in DifferenceSort)

    @cached_property
    def risky(self) -> int:
        """A bit mask of the actions that let a principal give itself or others more access."""
        access = self.right.access or self.left.access
        return 0 if access is None else risky_actions(access.space)[1]

    @property
    def risks(self) -> tuple[int, int]:
        """The numbers of risky actions of the left and the right side."""
        return tuple(
            (part.allowed_mask & self.risky).bit_count() for part in (self.shift.before, self.shift.after)
        )  # type: ignore[return-value]

    @property
    def undecided(self) -> tuple[tuple[str, str], ...]:
        """Pairs of policy and problem for policies of either side that could not be fully parsed."""
        problems: list[tuple[str, str]] = []
        for side in (self.left, self.right):
            if side.access:
                problems += [(policy, problem) for _, policy, problem in side.access.basis.unread]
        return tuple(dict.fromkeys(problems))

    @cached_property
    def services(self) -> list[ServiceDifference]:
        """The services that either side can use, by title."""
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
        """The differences in one service, grouped, by sort and access level."""
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
        """The bit of an action. Action numbers are the same for both sides and all moments of a process."""
        access = self.right.access or self.left.access
        place = None if access is None else access.space.actions.index_of(name)
        return 0 if place is None else 1 << place

    def _grade(self, name: str, access: EffectiveAccess | None) -> AccessGrade | None:
        if access is None:
            return None
        bit = self._bit(name)
        return next((grade for grade in AccessGrade if getattr(access.found, str(grade)) & bit), None)

    def causes(self, sort: DifferenceSort, mask: int) -> tuple[DifferenceCause, ...]:
        """The statements of only one side that explain a difference in these actions.

        Empty if a boundary or an organization policy causes it.
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
        """The statements that explain the differences in a service, without duplicates."""
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
    """The statements that only this side holds, in whichever policy."""
    theirs = (
        {_statement_meaning(entry.statement) for entry in other.access.applicable_statements}
        if other.access
        else set()
    )
    my_statements = mine.access.applicable_statements if mine.access else ()
    return [entry for entry in my_statements if _statement_meaning(entry.statement) not in theirs]


def _statement_meaning(statement: Statement) -> tuple[Any, ...]:
    """The content of a statement without its place, for comparison."""
    return (
        statement.allows,
        statement.actions,
        statement.is_not_action,
        statement.resources,
        statement.is_not_resource,
        statement.conditions,
    )


def compare(left: ComparedSide, right: ComparedSide) -> AccessComparison:
    """Compare two sides.

    Both moments are loaded before either is evaluated, so that both use the same action numbers.
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
