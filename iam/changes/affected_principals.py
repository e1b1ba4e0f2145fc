"""Finds which principals can do more or less when a managed policy's text changes, with the policy index, and
summarizes it in the few lines of a receipt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from itertools import chain
from operator import or_
from typing import Final, NamedTuple

from iam.changes.access_effects import (
    ALTERED,
    GAINED,
    SORTS,
    WIDER,
    ActionShift,
    AffectedPrincipal,
    HoldingWay,
    PolicyAccess,
)
from iam.changes.documents import DENIES, flags
from iam.changes.listed_actions import listed_part
from iam.mirror.models import Entity
from iam.mirror.pull.transform.principals import document_digest
from iam.mirror.snapshot import snapshot
from iam.policy.document import PolicyDocument, read
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.difference import AccessShift
from iam.policy.index.index import PolicyIndex
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.permission_delta import PermissionDelta, actions_of, bits, risky_actions
from iam.policy.index.rows import PolicyRow, RowChanges
from iam.policy.index.scenario import ScenarioEdits, what_if
from iam.policy.index.shard import AccountShard
from iam.policy.index.witness import ChangeWitness
from iam.policy.unknown_actions import without_unknown_actions

WAYS: Final = 8
ROWS: Final = 10
NAMES: Final = 5
RESOURCES: Final = 2
MAX_EXAMPLES: Final = 5
"""Upper limits: a receipt lists this many of each and gives the number of the rest."""

Groups = Mapping[PermissionDelta, list[IndexedPrincipal]]
"""Principals by what changes for them."""


class _Path(NamedTuple):
    """How a principal holds the policy."""

    through: tuple[str, ...]
    is_direct: bool
    is_boundary: bool


def access_of(policy: Entity, *, old: str, text: str) -> PolicyAccess:
    """Return the effect of a new default text of a policy; `old` is the current one.

    The effect is based on the mirror and takes everything that limits principals into account.
    """
    number = policy.account.account_id
    with snapshot(accounts={number}) as index:
        shard = index.accounts.get(number)
        if shard is None or policy.pk not in shard.policies:
            return PolicyAccess(undecided=("This policy has not been synced yet.",))
        return _AffectedWeighing(index, shard, policy.pk, text=text).access(marks=_marks(old, text))


def _marks(old: str, text: str) -> tuple[str, ...]:
    before, after = set(flags(old)), set(flags(text))
    gone = {DENIES} if DENIES in before - after else set()
    return tuple(sorted((after - before - {DENIES}) | gone))


class _AffectedWeighing:
    """The analysis of one new text. The index must stay locked while it is used."""

    def __init__(self, index: PolicyIndex, shard: AccountShard, policy: int, *, text: str) -> None:
        self._shard, self._policy = shard, policy
        self._space: ActionNumbering = index.documents.space
        known, self._strange = without_unknown_actions(text, space=self._space.actions)
        self._document = read(known)
        row, digest = shard.policies[policy], document_digest(known)
        self._holders = shard.concerned_by(RowChanges(policies=[PolicyRow(policy, row.name, "")]))
        changes = RowChanges(policies=[PolicyRow(policy, row.name, digest)])
        difference = what_if(index, {shard.number: ScenarioEdits(changes)}, texts={digest: known})
        self._difference = difference
        self._shifts: dict[int, AccessShift] = {}
        self._found: dict[PermissionDelta, list[IndexedPrincipal]] = defaultdict(list)
        for shift, members in listed_part(difference).proved:
            self._found[PermissionDelta.from_shift(shift)] += members
            self._shifts |= {member.id: shift for member in members}
        self._of_iam, self._risky = risky_actions(self._space)
        self._through = {
            group.id: group.name for group in shard.groups.values() if policy in group.grants.attached
        }

    def access(self, *, marks: tuple[str, ...]) -> PolicyAccess:
        """Return the lines of the receipt."""
        paths: dict[_Path, dict[PermissionDelta, list[IndexedPrincipal]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for delta, members in self._found.items():
            for member in members:
                paths[self._path(member)][delta].append(member)
        total = PermissionDelta.union(self._found)
        ordered = sorted(paths.items(), key=lambda path_members: (-_people(path_members[1]), path_members[0]))
        rest = list(chain.from_iterable(_members(groups) for _, groups in ordered[WAYS:]))
        return PolicyAccess(
            holders=len(self._holders),
            holder_users=_users(self._holders),
            holder_roles=len(self._holders) - _users(self._holders),
            affected=_people(self._found),
            counts={sort: mask.bit_count() for sort, mask in total._asdict().items() if mask},
            risky=((total.gained | total.wider | total.altered) & self._risky).bit_count(),
            ways=tuple(self._way(path, groups) for path, groups in ordered[:WAYS]),
            more_ways=len(ordered[WAYS:]),
            more_people=len(rest),
            more_users=_users(rest),
            more_roles=len(rest) - _users(rest),
            marks=marks,
            undecided=tuple(self._undecided()),
        )

    def _path(self, member: IndexedPrincipal) -> _Path:
        grants = member.grants
        through = sorted(self._through[number] for number in grants.groups if number in self._through)
        return _Path(
            tuple(through),
            is_direct=self._policy in grants.attached,
            is_boundary=self._policy == grants.boundary,
        )

    def _way(self, path: _Path, groups: Groups) -> HoldingWay:
        total = PermissionDelta.union(groups)
        chosen = self._riskiest(total)
        rows = [self._row(sort, bit, groups) for sort, bit in chosen]
        unnamed = reduce(or_, total) & ~reduce(or_, (bit for _, bit in chosen), 0)
        members = sorted(_members(groups), key=_by_name)
        users = _users(members)
        return HoldingWay(
            through=path.through,
            is_direct=path.is_direct,
            is_boundary=path.is_boundary,
            users=users,
            roles=len(members) - users,
            shifts=tuple(rows),
            more=unnamed.bit_count(),
            names=tuple(_affected(member) for member in members[:NAMES]),
        )

    def _row(self, sort: str, bit: int, groups: Groups) -> ActionShift:
        gives = sort in (GAINED, WIDER, ALTERED)
        resources = self._resources(bit) if gives else ()
        return ActionShift(
            action=self._space.actions.names(bit)[0],
            sort=sort,
            people=sum(len(members) for delta, members in groups.items() if getattr(delta, sort) & bit),
            is_risky=gives and bool(bit & self._risky),
            on=resources,
            witnesses=self._witnesses(sort, bit, groups),
        )

    def _witnesses(self, sort: str, bit: int, groups: Groups) -> tuple[ChangeWitness, ...]:
        """Example requests of the first principal by name for whom the action changes in this way."""
        concerned = {delta: members for delta, members in groups.items() if getattr(delta, sort) & bit}
        principal = min(_members(concerned), key=_by_name)
        before, after = self._difference.sides_of(principal.id)
        action = self._space.actions.names(bit)[0]
        shifts = self._shifts[principal.id]
        return shifts.witnesses(action, bit, before=before, after=after)

    def _riskiest(self, total: PermissionDelta) -> list[tuple[str, int]]:
        """The actions to list, as (sort, bit): of what is gained and then of what is lost, those that change
        IAM, other risky ones, and some of the rest.
        """
        tiers: list[tuple[str, int]] = []
        for masks in (total.widening, total.narrowing):
            for tier in (self._of_iam, self._risky & ~self._of_iam, ~self._risky):
                tiers += [(sort, mask & tier) for sort, mask in masks if mask & tier]
        share = max(2, ROWS // max(1, len(tiers)))
        chosen: list[tuple[str, int]] = []
        for most in (share, ROWS):
            for sort, mask in tiers:
                chosen += [(sort, bit) for bit in bits(mask, most)]
        order = {sort: place for place, sort in enumerate(SORTS)}
        return sorted(
            list(dict.fromkeys(chosen))[:ROWS],
            key=lambda shift: (
                order[shift[0]],
                not shift[1] & self._of_iam,
                not shift[1] & self._risky,
                shift[1],
            ),
        )

    def _resources(self, bit: int) -> tuple[str, ...]:
        """Some resources on which the new text allows the action; empty if it is allowed on all."""
        arns: dict[str, None] = {}
        for statement in self._document.statements:
            if statement.allows and actions_of(statement, self._space) & bit:
                but = "all but " if statement.is_not_resource else ""
                arns.update((f"{but}{name}", None) for name in statement.resources or ())
        if "*" in arns or not arns:
            return ()
        more = (f"and {len(arns) - RESOURCES} more",) if len(arns) > RESOURCES else ()
        return (*list(arns)[:RESOURCES], *more)

    def _undecided(self) -> Iterator[str]:
        if self._strange:
            names = ", ".join(self._strange[:MAX_EXAMPLES]) + (
                " and others" if len(self._strange) > MAX_EXAMPLES else ""
            )
            yield f"AWS lists no such actions, so they are not analyzed: {names}."
        yield from _problems(self._document)
        others = sum(self._has_unread(member) for member in self._holders)
        if others:
            yield (
                f"{others:,} of the principals that have it also have a policy that can’t be "
                "understood in full; "
                "that part is not analyzed."
            )
        if not self._shard.standing.is_known:
            yield "The service control policies of this account are not known, so they are not analyzed."

    def _has_unread(self, member: IndexedPrincipal) -> bool:
        own = self._shard.policies[self._policy].digest
        profile = member.cls.profile
        docs = (*profile.bundle.docs, *([profile.limits.boundary] if profile.limits.boundary else []))
        return any(doc.is_unreadable and doc.digest != own for doc in docs)


def _problems(document: PolicyDocument) -> Iterator[str]:
    problems = list(document.problems)
    for statement in document.statements:
        problems += statement.problems
    for problem in problems[:MAX_EXAMPLES]:
        yield f"Part of the new text can’t be understood, so it is not analyzed: {problem}."


def _members(groups: Groups) -> Iterator[IndexedPrincipal]:
    return chain.from_iterable(groups.values())


def _by_name(member: IndexedPrincipal) -> tuple[str, int]:
    return member.name.lower(), member.id


def _people(groups: Groups) -> int:
    return sum(len(members) for members in groups.values())


def _users(members: Iterable[IndexedPrincipal]) -> int:
    return sum(_is_user(member) for member in members)


def _affected(member: IndexedPrincipal) -> AffectedPrincipal:
    kind = "user" if _is_user(member) else "role"
    return AffectedPrincipal(member.name, kind, member.id)


def _is_user(member: IndexedPrincipal) -> bool:
    return ":user/" in member.arn
