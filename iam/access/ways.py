"""Finds how access is given: through a group, an attached policy, an inline policy or a resource-based
policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from iam.access.explanation import (
    DecisionReasons,
    ExplanationStep,
    HeldPolicy,
    NamedPolicy,
    explanation_of,
    held_as,
)
from iam.access.multi_action import TalliedActions
from iam.policy.evaluate import ASSUMING, FREE
from iam.policy.explain import ReasonOutcome
from iam.policy.index.classes import ClassMembers, IndexedPrincipal, PrincipalClass, SharedGrants
from iam.policy.index.columns import held_in
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.index import PolicyIndex
from iam.policy.index.query_evaluation import ALLOWS, BY_NAME, DEPENDS, SILENT, QueryEvaluation
from iam.policy.index.question import AccessQuestion
from iam.policy.index.shard import AccountShard
from iam.policy.index.who_can import judge_for
from iam.policy.letter_case import fold
from iam.policy.logic import YES

Spoken = tuple["AccessWay", IndexedDocument]


class WayKind(StrEnum):
    """The types of ways, most shared first."""

    GROUP = "group"
    ATTACHED = "attached"
    INLINE = "inline"
    TRUST = "trust"
    RESOURCE = "resource"
    RULE = "rule"


KINDS: Final = list(WayKind)


@dataclass(frozen=True, slots=True)
class AccessWay:
    """One way: policy and group by name, and by primary key if they have pages.

    All inline policies of users and roles are one way, with an empty `policy`.
    """

    kind: WayKind
    policy: str = ""
    policy_pk: int | None = None
    group: str = ""
    group_pk: int | None = None
    account: str = ""
    is_aws_managed: bool = False

    @property
    def key(self) -> str:
        """A short key for URLs that depends only on the way."""
        content = f"{self.kind} {self.policy} {self.policy_pk} {self.group_pk} {self.account}"
        return blake2b(content.encode(), digest_size=6).hexdigest()

    @property
    def sort_key(self) -> tuple[int, str, str, str]:
        """Sort shared ways first, then by name."""
        return KINDS.index(self.kind), self.group, self.policy, self.account


INLINE: Final = AccessWay(WayKind.INLINE)
SURE: Final = (YES,)
SURE_FIRST: Final = (YES, ALLOWS)


class AccessWays:
    """Finds the way of each principal of an answer. Principals with the same policies are evaluated once."""

    def __init__(
        self, index: PolicyIndex, question: Callable[[str], AccessQuestion], tallied: TalliedActions
    ) -> None:
        self._index = index
        self._question = question
        self._found = tallied
        single_members = [
            part.members for part in tallied.whole.parts if not isinstance(part.members, ClassMembers)
        ]
        self._personal = frozenset(tallied.by_member).union(*single_members)
        self._personal_classes = {member.cls for member in self._personal}
        self._known: dict[Any, AccessWay] = {}
        self._by_account: dict[tuple[str, str], AccountMentions] = {}
        self._heard: dict[str, ActionMentions] = {}

    def main_way(self, member: IndexedPrincipal) -> AccessWay:
        """The way of a principal; of several, the unconditional and most shared one."""
        tally = self._found.tally_of(member)
        action = tally.first or self._found.whole.question.action
        key = (member, action) if member in self._personal else (member.cls, member.grants_key, action)
        way = self._known.get(key)
        if way is None:
            way = self._known[key] = self._way(member, action, is_sure=bool(tally.can))
        return way

    def only_way(self, cls: PrincipalClass) -> AccessWay | None:
        """The way of a class with a single shared part, if that decides; None if members must be
        evaluated.
        """
        key = cls.only_shared_part
        if not key or cls in self._personal_classes:
            return None
        speaking = self._speaking(self._found.by_class[cls].first, cls.account)
        return None if speaking.heard.is_free else speaking.shared_way(key)

    def group_by_way(
        self, members: Sequence[IndexedPrincipal]
    ) -> Mapping[AccessWay, Sequence[IndexedPrincipal]]:
        """Group members of one answer by their way."""
        if isinstance(members, ClassMembers) and members.cls not in self._personal_classes:
            return self._among_class(members)
        alike: dict[Any, list[IndexedPrincipal]] = {}
        for member in members:
            key = member if member in self._personal else (member.cls, member.grants_key)
            alike.setdefault(key, []).append(member)
        members_by_way: dict[AccessWay, list[IndexedPrincipal]] = {}
        for same_members in alike.values():
            members_by_way.setdefault(self.main_way(same_members[0]), []).extend(same_members)
        return members_by_way

    def _among_class(self, members: ClassMembers) -> Mapping[AccessWay, Sequence[IndexedPrincipal]]:
        """Group members of a class that differ only in what they hold.

        Inline policies are read only if no managed policy gives a way.
        """
        tally = self._found.by_class[members.cls]
        speaking = self._speaking(tally.first, members.cls.account)
        if speaking.heard.is_free:
            return self._one_by_one(members)
        effects: Mapping[IndexedDocument, int] | None = None
        members_by_way: dict[AccessWay, ClassMembers] = {}
        for key, alike in members.by_shared_grants():
            shared_way = speaking.shared_way(key)
            if shared_way is None:
                # Most are decided without the effects on this class.
                effects = speaking.effects_on(members) if effects is None else effects
                shared_way = speaking.way_among(key, effects, is_sure=bool(tally.can))
            parts = self._one_by_one(alike) if shared_way is None else {shared_way: alike}
            for way, part in parts.items():
                members_by_way[way] = members_by_way[way] + part if way in members_by_way else part
        return members_by_way

    def _one_by_one(self, members: ClassMembers) -> dict[AccessWay, ClassMembers]:
        members_by_way: dict[AccessWay, ClassMembers] = {}
        for same_grants in members.by_grants():
            way = self.main_way(same_grants[0])
            members_by_way[way] = members_by_way[way] + same_grants if way in members_by_way else same_grants
        return members_by_way

    def _way(self, member: IndexedPrincipal, action: str, *, is_sure: bool) -> AccessWay:
        if fold(action) in FREE:
            return AccessWay(WayKind.RULE)
        own = self._own_way(member, action, is_sure=is_sure)
        if own is not None:
            return own
        reasons = explanation_of(self._index, member, self._question(action))
        return min(
            (self._of_step(member, step, action) for step in _best(reasons)),
            key=_sort_key,
            default=AccessWay(WayKind.RULE),
        )

    def _own_way(self, member: IndexedPrincipal, action: str, *, is_sure: bool) -> AccessWay | None:
        """The way of an identity policy that allows the action, unconditional before conditional; None if
        there is none.

        If the member can definitely do it, conditional statements are ignored.
        """
        speaking = self._speaking(action, member.account)
        judge = speaking.heard.judge
        docs = speaking.heard.docs
        policies_by_way = speaking.shared(member.grants.attached, member.grants.groups)
        policies_by_way += [(INLINE, docs[digest]) for _, digest in member.grants.inline if digest in docs]
        sure: list[AccessWay] = []
        unsure: list[AccessWay] = []
        for way, doc in policies_by_way:
            effect = judge.said_of(doc, member) & ALLOWS
            if effect & YES:
                sure.append(way)
            elif effect and not is_sure:
                unsure.append(way)
        return min(sure or unsure, key=_sort_key, default=None)

    def _speaking(self, action: str, account: str) -> AccountMentions:
        speaking = self._by_account.get((action, account))
        if speaking is None:
            heard = self._heard.get(action)
            if heard is None:
                heard = self._heard[action] = self._load_statements(action)
            speaking = AccountMentions.for_account(heard, self._index.accounts[account])
            self._by_account[action, account] = speaking
        return speaking

    def _load_statements(self, action: str) -> ActionMentions:
        index = self._index
        judge, _ = judge_for(
            self._question(action), shards=index.accounts, documents=index.documents, moment=index.moment
        )
        judge.load_statements(index.register)
        by_digest = {doc.digest: doc for doc in judge.said}
        # Finding the classes named in the question visits all principals and rarely matters, so it is skipped
        # when possible.
        named = frozenset() if judge.heard is judge.said else index.classes_named(judge.reader)
        return ActionMentions(judge, by_digest, named, judge.lowered in FREE)

    def _of_step(self, member: IndexedPrincipal, step: ExplanationStep, action: str) -> AccessWay:
        if step.held is not None:
            return way_of(self._index.accounts[member.account], step.held)
        if step.reason.kind == "rule":
            return AccessWay(WayKind.RULE)
        kind = WayKind.TRUST if fold(action) in ASSUMING else WayKind.RESOURCE
        return AccessWay(kind)


@dataclass(frozen=True, slots=True)
class ActionMentions:
    """What concerns an action in any account: documents by digest, and the classes of users named in the
    question.

    `is_free` is true if the action needs no permission.
    """

    judge: QueryEvaluation
    docs: Mapping[str, IndexedDocument]
    named: frozenset[PrincipalClass]
    is_free: bool


@dataclass(frozen=True, slots=True)
class AccountMentions:
    """The managed policies and groups of an account that concern an action, by primary key, each with way and
    document.
    """

    heard: ActionMentions
    policies: Mapping[int, Spoken]
    groups: Mapping[int, Sequence[Spoken]]
    _by_key: dict[SharedGrants, Sequence[Spoken]] = field(default_factory=dict)
    _decided: dict[SharedGrants, AccessWay | None] = field(default_factory=dict)

    def shared(self, attached: Iterable[int], groups: Iterable[int]) -> list[Spoken]:
        """What concerns the action among these attached policies and groups, best way first."""
        policies_by_way = [self.policies[number] for number in attached if number in self.policies]
        for number in groups:
            policies_by_way += self.groups.get(number, ())
        return sorted(policies_by_way, key=lambda spoken: spoken[0].sort_key)

    def shared_way(self, key: SharedGrants) -> AccessWay | None:
        """The first way that allows unconditionally for everyone who shares this key; None if more than
        policies decide.
        """
        if key in self._decided:
            return self._decided[key]
        heard = self.heard.judge.heard
        sure_way = None
        for way, doc in self._shared_by(key):
            effect = heard.get(doc, SILENT)
            if effect & (DEPENDS | BY_NAME):
                break
            if effect & YES:
                sure_way = way
                break
        self._decided[key] = sure_way
        return sure_way

    def _shared_by(self, key: SharedGrants) -> Sequence[Spoken]:
        shared = self._by_key.get(key)
        if shared is None:
            attached, groups = held_in(key) if isinstance(key, str) else key
            shared = self._by_key[key] = self.shared(attached, groups)
        return shared

    def effects_on(self, members: ClassMembers) -> dict[IndexedDocument, int]:
        """The documents of a class that allow the action, and how. A class is evaluated as one, so they apply
        equally to all.
        """
        judge, effects = self.heard.judge, {}
        is_named = members.cls in self.heard.named
        for doc in members.cls.profile.bundle.docs:
            effect = judge.heard.get(doc, SILENT)
            if effect & DEPENDS or (effect & BY_NAME and is_named):
                effect = judge.said_of(doc, members[0])
            if effect & ALLOWS:
                effects[doc] = effect & ALLOWS
        return effects

    def way_among(
        self, key: SharedGrants, effects: Mapping[IndexedDocument, int], *, is_sure: bool
    ) -> AccessWay | None:
        """The way of members that differ only in inline policies (`ClassMembers.by_shared_grants`).

        The result equals `AccessWays.main_way` for each.
        """
        shared = self._shared_by(key)
        # Shared ways come before inline policies, whose documents belong to no shared way.
        for wanted in SURE if is_sure else SURE_FIRST:
            for way, doc in shared:
                if doc in effects and effects[doc] & wanted:
                    return way
            for effect in effects.values():
                if effect & wanted:
                    return INLINE
        return None

    @classmethod
    def for_account(cls, heard: ActionMentions, shard: AccountShard) -> AccountMentions:
        """The mentions in one account."""
        inline = heard.docs
        policies: dict[int, Spoken] = {}
        for number in shard.policies:
            doc = shard.policy_doc(number)
            if doc in heard.judge.said:
                policies[number] = (way_of(shard, held_as(shard, number)), doc)
        groups: dict[int, list[Spoken]] = {}
        for group in shard.groups.values():
            policies_by_way = [
                (way_of(shard, held_as(shard, number, group=group)), policies[number][1])
                for number in group.grants.attached
                if number in policies
            ]
            policies_by_way += [
                (
                    way_of(
                        shard,
                        HeldPolicy(
                            NamedPolicy(None, name), NamedPolicy(group.id, group.name), is_inline=True
                        ),
                    ),
                    inline[digest],
                )
                for name, digest in group.grants.inline
                if digest in inline
            ]
            if policies_by_way:
                groups[group.id] = policies_by_way
        return cls(heard, policies, groups)


def way_of(shard: AccountShard, holding: HeldPolicy) -> AccessWay:
    """The way that corresponds to how an identity policy is held."""
    row = None if holding.policy.pk is None else shard.policies.get(holding.policy.pk)
    is_aws_managed = row is not None and ":iam::aws:" in row.name
    if holding.group is not None:
        return AccessWay(
            WayKind.GROUP,
            holding.policy.name,
            holding.policy.pk,
            holding.group.name,
            holding.group.pk,
            shard.number,
            is_aws_managed,
        )
    if holding.is_inline:
        return INLINE
    account = "" if is_aws_managed else shard.number
    pk = None if is_aws_managed else holding.policy.pk
    return AccessWay(
        WayKind.ATTACHED, holding.policy.name, pk, account=account, is_aws_managed=is_aws_managed
    )


def _sort_key(way: AccessWay) -> tuple[int, str, str, str]:
    return way.sort_key


def _best(reasons: DecisionReasons) -> tuple[ExplanationStep, ...]:
    sure = tuple(step for step in reasons.grants if step.reason.outcome is not ReasonOutcome.DEPENDS)
    return sure or reasons.grants
