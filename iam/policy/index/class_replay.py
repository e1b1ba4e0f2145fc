"""Replays recorded calls of many principals without some of their policies. Principals of a class, which
policies can't tell apart, are evaluated together, and each distinct call once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from itertools import chain

from iam.policy.evaluate import needs_resource_policy
from iam.policy.index.classes import IndexedPrincipal, PrincipalProfile
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.side_replay import SideReplay
from iam.policy.index.sides import side_of
from iam.policy.replay import ReplayOutcome
from iam.policy.request import Principal, Request, account_of

Docs = tuple[IndexedDocument, ...]


class ReplayWithout:
    """A principal, or all of a class, holding only some of their documents."""

    def __init__(self, index: PolicyIndex, member: IndexedPrincipal, kept: Docs) -> None:
        self._index, self.kept = index, kept
        self._replay = _replay_of(index, member, kept)
        self._known: dict[Hashable, ReplayOutcome] = {}

    def touches(self, action: str) -> bool:
        """True if a removed statement concerns an action. No other call changes."""
        return self._replay.touches(action)

    def outcome(self, member: IndexedPrincipal, question: AccessQuestion, *, key: Hashable) -> ReplayOutcome:
        """What happens to a call that AWS allowed. `key` is equal for equal questions."""
        if _depends_on_who_asks(self._index, member, question):
            return _replay_of(self._index, member, self.kept).outcome(question, was_denied=False)
        outcome = self._known.get(key)
        if outcome is None:
            outcome = self._known[key] = self._replay.outcome(question, was_denied=False)
        return outcome


class ClassReplay:
    """Replays for the principals of an index. The caller holds its lock."""

    def __init__(self, index: PolicyIndex) -> None:
        self._index = index
        self._are_alike: dict[PrincipalProfile, bool] = {}
        self._replays: dict[tuple[Hashable, frozenset[IndexedDocument]], ReplayWithout] = {}

    def without(self, member: IndexedPrincipal, kept: Docs) -> ReplayWithout:
        """The replay of a member that holds only some of its documents."""
        profile = member.cls.profile
        are_alike = self._are_alike.get(profile)
        if are_alike is None:
            are_alike = self._are_alike[profile] = _are_alike(profile)
        who: Hashable = member.cls if are_alike else member.id
        key = (who, frozenset(kept))
        replay = self._replays.get(key)
        if replay is None:
            replay = ReplayWithout(self._index, member, kept)
            if are_alike:
                self._replays[key] = replay
        return replay


def _replay_of(index: PolicyIndex, member: IndexedPrincipal, kept: Docs) -> SideReplay:
    side = side_of(member, index.accounts[member.account])
    return SideReplay(index, member, replace(side, docs=kept))


def _are_alike(profile: PrincipalProfile) -> bool:
    """True if all members of a class get the same decisions. They have the same marks; only compared key
    values and names in patterns can distinguish them.
    """
    levels = profile.limits.levels
    docs = list(profile.bundle.docs)
    for _, doc in chain.from_iterable((*levels.scps, *levels.rcps)):
        docs.append(doc)
    if profile.limits.boundary is not None:
        docs.append(profile.limits.boundary)
    return not any(_tells_apart(clause) for clause in _clauses(docs))


def _tells_apart(clause: IndexedStatement) -> bool:
    return bool(clause.traits.raw or clause.traits.named or clause.shape.names_somebody)


def _clauses(docs: Iterable[IndexedDocument]) -> Iterable[IndexedStatement]:
    return chain.from_iterable(doc.clauses for doc in docs)


def _depends_on_who_asks(index: PolicyIndex, member: IndexedPrincipal, question: AccessQuestion) -> bool:
    """True if a resource-based policy may decide, or resource control policies of another organization, for
    which members have no marks.
    """
    if needs_resource_policy(Request(question.action, question.resource, Principal(""))):
        return True
    owner = account_of(question.resource)
    shard = index.accounts.get(owner)
    levels = member.cls.profile.limits.levels
    if not owner or shard is None or shard.levels.rcps == levels.rcps:
        return False
    docs = [doc for _, doc in chain.from_iterable(shard.levels.rcps)]
    return any(doc.is_marked for doc in docs) or any(_tells_apart(clause) for clause in _clauses(docs))
