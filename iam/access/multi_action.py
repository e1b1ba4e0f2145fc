"""Asks one question about many actions: actions that all policies treat the same are evaluated once, and the
answers are combined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final, NamedTuple

from iam.policy.aws_owned import CHANGES as OWNED_CHANGES
from iam.policy.evaluate import (
    ASSUMING,
    BUCKET_POLICY,
    FREE,
    WITHOUT_RCPS,
    EvaluationDecision,
    needs_resource_policy,
)
from iam.policy.index.classes import IndexedPrincipal, PrincipalClass
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.elements import ActionElement
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion, AnswerLimitation, MatchedPrincipals, WhoCanAnswer
from iam.policy.letter_case import fold
from iam.policy.request import Principal, PrincipalKind, Request
from iam.question_budget import check_budget

SPECIAL: Final = ASSUMING | FREE | WITHOUT_RCPS | BUCKET_POLICY | OWNED_CHANGES
"""Actions with special rules in AWS."""


class ActionTally(NamedTuple):
    """How many actions a principal can do, definitely (`can`) and conditionally (`may`).

    `first` is the first definite action, or else the first conditional one.
    """

    can: int = 0
    may: int = 0
    first: str = ""

    @property
    def decision(self) -> EvaluationDecision:
        """ALLOWED if any action is definitely allowed, else CONDITIONAL."""
        return EvaluationDecision.ALLOWED if self.can else EvaluationDecision.CONDITIONAL

    def add(self, decision: EvaluationDecision, actions: Sequence[str]) -> ActionTally:
        """The tally with more actions of this decision."""
        if decision is EvaluationDecision.ALLOWED:
            first = self.first if self.can else actions[0]
            return ActionTally(self.can + len(actions), self.may, first)
        return ActionTally(self.can, self.may + len(actions), self.first or actions[0])

    def and_also(self, other: ActionTally) -> ActionTally:
        """The sum of both tallies."""
        first = (self.first if self.can or not other.can else other.first) or other.first
        return ActionTally(self.can + other.can, self.may + other.may, first)


NOTHING: Final = ActionTally()


@dataclass(frozen=True, slots=True)
class TalliedActions:
    """An answer about several actions: who can do at least one of them, and how many each."""

    whole: WhoCanAnswer
    by_class: Mapping[PrincipalClass, ActionTally]
    by_member: Mapping[IndexedPrincipal, ActionTally]

    def tally_of(self, member: IndexedPrincipal) -> ActionTally:
        """The tally of one principal."""
        own = self.by_member.get(member, NOTHING)
        return self.by_class.get(member.cls, NOTHING).and_also(own)


def tallied(index: PolicyIndex, question: AccessQuestion, actions: Sequence[str]) -> TalliedActions:
    """Ask `question` about each of the actions; its own action is ignored.

    Raises BudgetSpentError if this takes too long.
    """
    by_class: dict[PrincipalClass, ActionTally] = {}
    by_member: dict[IndexedPrincipal, ActionTally] = {}
    limitations: dict[AnswerLimitation, None] = {}
    answer = None
    for names in group_alike(index, actions, question):
        answer = index.who_can(replace(question, action=names[0]))
        limitations |= dict.fromkeys(answer.limitations)
        _add(answer, names, by_class, by_member)
        check_budget()
    if len(actions) > 1 or answer is None:
        whole, parts = _any_action(by_class, by_member)
        answer = WhoCanAnswer(question, whole, parts, tuple(limitations))
    return TalliedActions(answer, by_class, by_member)


def _add(
    answer: WhoCanAnswer,
    names: Sequence[str],
    by_class: dict[PrincipalClass, ActionTally],
    by_member: dict[IndexedPrincipal, ActionTally],
) -> None:
    for decision, classes in answer.whole.items():
        # Most classes share one of a few tallies.
        later: dict[ActionTally, ActionTally] = {}
        for cls in classes:
            before = by_class.get(cls, NOTHING)
            after = later.get(before)
            if after is None:
                after = later[before] = before.add(decision, names)
            by_class[cls] = after
    for part in answer.parts:
        for member in part.members:
            by_member[member] = by_member.get(member, NOTHING).add(part.decision, names)


def _any_action(
    by_class: Mapping[PrincipalClass, ActionTally], by_member: Mapping[IndexedPrincipal, ActionTally]
) -> tuple[dict[EvaluationDecision, list[PrincipalClass]], list[MatchedPrincipals]]:
    """Who can do at least one action.

    Whole classes where possible; single members where members of a class differ. Each run has a single kind.
    """
    parted = {member.cls for member in by_member}
    whole: dict[EvaluationDecision, list[PrincipalClass]] = {}
    for cls, tally in by_class.items():
        if cls not in parted:
            whole.setdefault(tally.decision, []).append(cls)
    groups: dict[tuple[EvaluationDecision, str, PrincipalKind], list[IndexedPrincipal]] = {}
    for cls in parted:
        shared = by_class.get(cls, NOTHING)
        for member in cls.members:
            tally = shared.and_also(by_member.get(member, NOTHING))
            if tally.can or tally.may:
                kind = cls.profile.limits.flags[0]
                groups.setdefault((tally.decision, cls.account, kind), []).append(member)
    parts = [
        MatchedPrincipals(decision, account, members) for (decision, account, _), members in groups.items()
    ]
    return whole, parts


def group_alike(index: PolicyIndex, actions: Sequence[str], question: AccessQuestion) -> list[list[str]]:
    """Group the actions by equal treatment in all policies of the index, so that each group has one
    answer.
    """
    if len(actions) == 1:
        return [list(actions)]
    bounding = _bounding(index)
    groups: dict[Any, list[str]] = {}
    for action in actions:
        groups.setdefault(_treatment(index, action, bounding, question), []).append(action)
        check_budget()
    return list(groups.values())


def _treatment(
    index: PolicyIndex, action: str, bounding: Iterable[ActionElement], question: AccessQuestion
) -> Any:
    """A key of everything that can make the answers about two actions of a service differ."""
    lowered = fold(action)
    if lowered in SPECIAL or question.resource_policy is not None:
        return lowered
    asked = replace(question, action=action)
    return (
        lowered.partition(":")[0],
        asked.asks_for_pattern,
        needs_resource_policy(Request(action, question.resource, Principal(""))),
        frozenset(element for element, _ in index.register.actions_speaking_of(lowered)),
        frozenset(element for element in bounding if element.covers_action(lowered)),
    )


def _bounding(index: PolicyIndex) -> set[ActionElement]:
    """The Action elements of boundaries and organization policies, which `actions_speaking_of` does not
    cover.
    """
    docs: set[IndexedDocument] = set()
    levels = {shard.levels for shard in index.accounts.values()}
    for limits in {profile.limits for profile in index.register.profiles}:
        levels.add(limits.levels)
        if limits.boundary is not None:
            docs.add(limits.boundary)
    for level in levels:
        docs.update(doc for _, doc in chain.from_iterable((*level.scps, *level.rcps)))
    return {clause.actions for clause in chain.from_iterable(doc.clauses for doc in docs)}
