"""How access is given: through a group, by a policy attached directly, by an inline policy, by the resource's own policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from iam.access.reasons import Step, Why, why
from iam.access.several import Tallied
from iam.policy.evaluate import ASSUMING, FREE
from iam.policy.explain import Outcome
from iam.policy.index.classes import Member
from iam.policy.index.index import Index
from iam.policy.index.question import Question
from iam.policy.letter_case import fold


class WayKind(StrEnum):
    """The kinds of ways, the most shared first."""

    GROUP = "group"
    ATTACHED = "attached"
    INLINE = "inline"
    TRUST = "trust"
    RESOURCE = "resource"
    RULE = "rule"


KINDS: Final = list(WayKind)


@dataclass(frozen=True, slots=True)
class Way:
    """One way: the policy and group by name, and by their numbers in the mirror where they have pages. `policy` of inline
    policies of users and roles is empty: all of them are one way."""

    kind: WayKind
    policy: str = ""
    policy_pk: int | None = None
    group: str = ""
    group_pk: int | None = None
    account: str = ""
    is_aws_managed: bool = False

    @property
    def key(self) -> str:
        """A short word for addresses, the same as long as the way is."""
        told = f"{self.kind} {self.policy} {self.policy_pk} {self.group_pk} {self.account}"
        return blake2b(told.encode(), digest_size=6).hexdigest()

    @property
    def sort_key(self) -> tuple[int, str, str, str]:
        """Shared ways first, then by name."""
        return KINDS.index(self.kind), self.group, self.policy, self.account


class Ways:
    """Finds the way of each principal of an answer; principals that policies cannot tell apart are looked at once."""

    def __init__(self, index: Index, question: Callable[[str], Question], found: Tallied) -> None:
        self._index, self._question, self._found = index, question, found
        self._personal = frozenset(found.by_member) | {
            member for part in found.whole.parts for member in part.members
        }
        self._known: dict[Any, Way] = {}

    def of(self, member: Member) -> Way:
        """The first way: where there are several, the one that allows without conditions and is the most shared."""
        action = self._found.of(member).first or self._found.whole.question.action
        key = (member, action) if member in self._personal else (member.cls, member.grants, action)
        way = self._known.get(key)
        if way is None:
            way = self._known[key] = self._way(member, action)
        return way

    def _way(self, member: Member, action: str) -> Way:
        if fold(action) in FREE:
            return Way(WayKind.RULE)
        reasons = why(self._index, member, self._question(action))
        return min(
            (self._of_step(member, step, action) for step in _best(reasons)),
            key=lambda way: way.sort_key,
            default=Way(WayKind.RULE),
        )

    def _of_step(self, member: Member, step: Step, action: str) -> Way:
        held = step.held
        if held is None:
            kind = WayKind.TRUST if fold(action) in ASSUMING else WayKind.RESOURCE
            return Way(WayKind.RULE if step.reason.kind == "rule" else kind)
        shard = self._index.accounts[member.account]
        row = None if held.policy.pk is None else shard.policies.get(held.policy.pk)
        is_aws_managed = row is not None and ":iam::aws:" in row.name
        if held.group is not None:
            return Way(
                WayKind.GROUP,
                held.policy.name,
                held.policy.pk,
                held.group.name,
                held.group.pk,
                member.account,
                is_aws_managed,
            )
        if held.is_inline:
            return Way(WayKind.INLINE)
        account = "" if is_aws_managed else member.account
        pk = None if is_aws_managed else held.policy.pk
        return Way(WayKind.ATTACHED, held.policy.name, pk, account=account, is_aws_managed=is_aws_managed)


def _best(reasons: Why) -> tuple[Step, ...]:
    sure = tuple(step for step in reasons.grants if step.reason.outcome is not Outcome.DEPENDS)
    return sure or reasons.grants
