"""Explains why a change makes no difference to someone: they already have the actions, keep them, or a policy
denies them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from iam.changes.access_effects import AffectedPrincipal
from iam.changes.world import FIRST_MADE
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.difference import AccessDifference, AccessShift
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.index import PolicyIndex
from iam.policy.index.verdicts import ActionSetProof
from iam.policy.index.witness import AlikeVerdict

NAMES: Final = 8
LINES: Final = 4
BLOCKS: Final = 12
"""The maximum number of each kind of reason on a receipt."""

Pairs = Sequence[tuple[IndexedPrincipal, AccessShift]]
Cause = TypeVar("Cause")


@dataclass(frozen=True, slots=True)
class HeldAlready:
    """Of the `of` actions that a change gives or removes, `people` principals have `actions` anyway,
    `through` these policies.
    """

    actions: int
    of: int
    through: tuple[str, ...]
    people: int


@dataclass(frozen=True, slots=True)
class BlockedActions:
    """Of the `of` actions that a change gives, `actions` stay denied to `people` principals, `by` these
    policies.
    """

    actions: int
    of: int
    by: tuple[str, ...]
    people: int


@dataclass(frozen=True, slots=True)
class BlockReasons:
    """What principals already have of the given actions, what they keep of the removed ones, and what stays
    denied.
    """

    already: tuple[HeldAlready, ...]
    keeps: tuple[HeldAlready, ...]
    blocked: tuple[BlockedActions, ...]

    @property
    def all_reasons(self) -> tuple[HeldAlready | BlockedActions, ...]:
        """All three kinds of reasons in one sequence."""
        return (*self.already, *self.keeps, *self.blocked)

    def told_of(self, people: int) -> BlockReasons:
        """The same reasons for a number of principals."""
        return BlockReasons(
            already=tuple(replace(reason, people=people) for reason in self.already),
            keeps=tuple(replace(reason, people=people) for reason in self.keeps),
            blocked=tuple(replace(reason, people=people) for reason in self.blocked),
        )


@dataclass(frozen=True, slots=True)
class UnchangedPrincipals:
    """Principals of one account that a change concerns and does not affect."""

    account_id: str
    names: tuple[AffectedPrincipal, ...]
    users: int
    roles: int
    already: tuple[HeldAlready, ...]
    keeps: tuple[HeldAlready, ...]
    blocked: tuple[BlockedActions, ...]


class _ReasonCounts(Generic[Cause]):
    """The number of actions per reason, the total, and the named policies, computed once per change."""

    def __init__(self, causes: Callable[[AlikeVerdict], tuple[bool, tuple[Cause, ...]]]) -> None:
        self._causes = causes
        self._known: dict[int, tuple[int, int, tuple[Cause, ...]]] = {}

    def of(self, shift: AccessShift) -> tuple[int, int, tuple[Cause, ...]]:
        """The counts for principals with this shift, which is kept as long as the reasons are in use."""
        reason = self._known.get(id(shift.change))
        if reason is None:
            actions = of = 0
            named: dict[Cause, None] = {}
            for mask, verdict in _changed(shift):
                counts, causes = self._causes(verdict)
                of |= mask if counts else 0
                actions |= mask if causes else 0
                named.update(dict.fromkeys(causes))
            reason = self._known[id(shift.change)] = (actions.bit_count(), of.bit_count(), tuple(named))
        return reason


class DifferenceReasons:
    """The reasons for everyone in a difference, with policies named as in the account."""

    def __init__(self, index: PolicyIndex, difference: AccessDifference) -> None:
        self._index = index
        self._found = difference
        self._called: dict[object, dict[IndexedDocument, str]] = {}
        self._already = _ReasonCounts(lambda verdict: (verdict.is_given, verdict.already))
        self._keeps = _ReasonCounts(lambda verdict: (verdict.is_taken, verdict.keeps))
        self._blocked = _ReasonCounts(lambda verdict: (verdict.is_given, verdict.blocked))

    def for_pairs(self, pairs: Pairs) -> BlockReasons:
        """All reasons for these principals."""
        return BlockReasons(self.already(pairs), self.keeps(pairs), self.blocked(pairs))

    def already(self, pairs: Pairs) -> tuple[HeldAlready, ...]:
        """What they already have of the given actions."""
        return self._held(pairs, self._already)

    def keeps(self, pairs: Pairs) -> tuple[HeldAlready, ...]:
        """What they keep of the removed actions."""
        return self._held(pairs, self._keeps)

    def _held(self, pairs: Pairs, held_by: _ReasonCounts[IndexedDocument]) -> tuple[HeldAlready, ...]:
        people: dict[tuple[int, int, tuple[str, ...]], int] = defaultdict(int)
        for member, shift in pairs:
            actions, of, docs = held_by.of(shift)
            if actions:
                people[actions, of, tuple(sorted({self._name(member, doc) for doc in docs}))] += 1
        permissions = [
            HeldAlready(actions, of, through, number) for (actions, of, through), number in people.items()
        ]
        return tuple(
            sorted(permissions, key=lambda permission: (-permission.people, permission.through))[:LINES]
        )

    def blocked(self, pairs: Pairs) -> tuple[BlockedActions, ...]:
        """What stays denied of the given actions."""
        people: dict[tuple[int, int, tuple[str, ...]], int] = defaultdict(int)
        for member, shift in pairs:
            actions, of, kinds = self._blocked.of(shift)
            if actions:
                blockers = {self._blocker(member, kind) for kind in kinds}
                people[actions, of, tuple(sorted(blockers))] += 1
        reasons = [BlockedActions(*key, number) for key, number in people.items()]
        reasons.sort(key=lambda blocked: (-blocked.people, blocked.by))
        return tuple(reasons[:LINES])

    def unchanged(self, account: str, pairs: Pairs) -> Iterator[UnchangedPrincipals]:
        """The unaffected principals, grouped by equal reasons."""
        groups: dict[object, list[tuple[IndexedPrincipal, AccessShift]]] = defaultdict(list)
        for pair in sorted(pairs, key=lambda pair: (pair[0].name.lower(), pair[0].id)):
            reasons = self.for_pairs([pair])
            if reasons.all_reasons:
                groups[reasons].append(pair)
        for group in list(groups.values())[:BLOCKS]:
            members = [member for member, _ in group]
            users = sum(is_user(member) for member in members)
            reasons = self.for_pairs(group)
            yield UnchangedPrincipals(
                account_id=account,
                names=names_of(members),
                users=users,
                roles=len(members) - users,
                already=reasons.already,
                keeps=reasons.keeps,
                blocked=reasons.blocked,
            )

    def _name(self, member: IndexedPrincipal, doc: IndexedDocument) -> str:
        """The display name of a held policy."""
        shard = self._index.accounts[member.account]
        known = shard.members.get(member.id, member)
        key = (member.account, known.grants)
        called = self._called.get(key)
        if called is None:
            called = self._called[key] = {}
            for name, document in shard.named_policies(known.grants):
                called.setdefault(document, _short(name))
        return called.get(doc, "another policy")

    def _blocker(self, member: IndexedPrincipal, kind: str) -> str:
        if kind.endswith("boundary"):
            boundary = self._found.sides_of(member.id)[1].boundary
            shard = self._index.accounts[member.account]
            named = shard.boundary_of(shard.members.get(member.id, member).grants)
            name = named[0] if named is not None and named[1] is boundary else ""
            return f"the permissions boundary {_short(name)}".rstrip()
        if kind.endswith("scp"):
            return "a service control policy"
        if kind.endswith("rcp"):
            return "a resource control policy"
        return "a deny in their own policies"


def _changed(shift: AccessShift) -> Iterator[ActionSetProof]:
    """The actions that a change gives or removes, without those that the policy's new text merely repeats."""
    for proof in shift.change.proofs:
        verdict = proof.verdict
        is_both = verdict.is_given and verdict.is_taken
        if not (is_both and verdict.is_nothing and verdict.already == verdict.keeps):
            yield proof


def _short(name: str) -> str:
    """The display name of an AWS managed policy, which the index knows by ARN."""
    return name.partition(":policy/")[2].rpartition("/")[2] if name.startswith("arn:") else name


def names_of(members: Iterable[IndexedPrincipal]) -> tuple[AffectedPrincipal, ...]:
    """The first principals by name."""
    ordered = sorted(members, key=lambda member: (member.name.lower(), member.id))[:NAMES]
    affected: list[AffectedPrincipal] = []
    for member in ordered:
        kind = "user" if is_user(member) else "role"
        affected.append(AffectedPrincipal(member.name, kind, _entity(member)))
    return tuple(affected)


def is_user(member: IndexedPrincipal) -> bool:
    """True for an IAM user."""
    return ":user/" in member.arn


def _entity(member: IndexedPrincipal) -> int | None:
    """The mirror's row of a principal; None for a planned principal or a root user."""
    return member.id if 0 < member.id < FIRST_MADE else None
