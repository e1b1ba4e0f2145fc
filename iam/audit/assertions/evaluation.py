"""Evaluates who breaks an assertion in an account, using the who-can index.

Unsynced data that could give more access is reported, so that nothing unseen counts as held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import chain
from typing import Final

from iam.access.explanation import explanation_of
from iam.access.multi_action import tallied
from iam.audit.assertions.resource_policies import takes_resource_policy
from iam.audit.assertions.terms import AssertionTerms
from iam.policy.evaluate import ASSUMING, EvaluationDecision
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import RESOURCE_POLICY, UNREADABLE, AccessQuestion, WhoCanAnswer
from iam.policy.letter_case import fold
from iam.policy.request import PrincipalKind, account_of

UNREAD_POLICIES: Final = "resource-based policies weren’t synced"
UNREAD_TRUST: Final = "the trust policy of a role wasn’t synced"
UNREAD_STATEMENTS: Final = "some policies couldn’t be read"
UNREAD_TAGS: Final = "tags weren’t synced"
MAX_EXPLAINED: Final = 20
"""The number of principals for which the allowing statement is stored. The page explains the others on
demand.
"""


@dataclass(frozen=True, slots=True)
class AssertionBreach:
    """A user or role that can do what only others should.

    `policy` and `statement` are what allows it, if it was explained.
    """

    arn: str
    entity: int
    action: str
    resource: str
    is_sure: bool
    policy: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True)
class AccountJudgment:
    """The result for one account: who breaks the assertion, and why further breaches can't be ruled out."""

    breaches: tuple[AssertionBreach, ...] = ()
    unread: tuple[str, ...] = ()


def judge(
    index: PolicyIndex,
    account: str,
    terms: AssertionTerms,
    *,
    unread: Iterable[str] = (),
    explains: bool = True,
) -> AccountJudgment:
    """Evaluate the users and roles of an account.

    `unread` are clauses on its unsynced data that could give access.
    """
    shard = index.accounts.get(account)
    if shard is None:
        # An account without users and roles is not in the index.
        return AccountJudgment(unread=tuple(unread))
    missing = dict.fromkeys(unread)
    breaches: dict[str, AssertionBreach] = {}
    for resource, actions in terms.questions():
        for target, asked in _targets(index, resource, actions):
            question = AccessQuestion("", target, accounts=frozenset({account}))
            who = tallied(index, question, asked)
            missing |= dict.fromkeys(_unread(who.whole, target, asked))
            for part in who.whole.groups_of():
                is_sure = part.decision is EvaluationDecision.ALLOWED
                if not is_sure and not terms.counts_conditional:
                    continue
                for member in part.members:
                    if terms.allows(member, shard):
                        continue
                    if member.tags is None and terms.names_tags:
                        missing[UNREAD_TAGS] = None
                        continue
                    known = breaches.get(member.arn)
                    if known is None or (is_sure and not known.is_sure):
                        action = who.tally_of(member).first or asked[0]
                        breaches[member.arn] = AssertionBreach(member.arn, member.id, action, target, is_sure)
    ordered = [breaches[arn] for arn in sorted(breaches)]
    if explains:
        ordered[:MAX_EXPLAINED] = [_explained(index, account, each) for each in ordered[:MAX_EXPLAINED]]
    return AccountJudgment(tuple(ordered), tuple(missing))


def _targets(
    index: PolicyIndex, resource: str, actions: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the resources to evaluate, each with its actions. A role pattern is replaced by each matching
    role, because each has its own trust policy.
    """
    assuming = tuple(action for action in actions if fold(action) in ASSUMING)
    others = tuple(action for action in actions if fold(action) not in ASSUMING)
    if others:
        yield resource, others
    if not assuming:
        return
    if "*" not in resource and "?" not in resource:
        yield resource, assuming
        return
    place = account_of(resource)
    shards = [index.accounts[place]] if place in index.accounts else list(index.accounts.values())
    members = chain.from_iterable(shard.members.values() for shard in shards)
    for member in members:
        if member.kind is PrincipalKind.ROLE and fnmatchcase(member.arn, resource.replace("[", "[[]")):
            yield member.arn, assuming


def _unread(answer: WhoCanAnswer, resource: str, actions: Iterable[str]) -> Iterator[str]:
    kinds = {limitation.kind for limitation in answer.limitations}
    if RESOURCE_POLICY in kinds and ":role/" in resource:
        yield UNREAD_TRUST
    elif any(map(takes_resource_policy, actions)):
        yield UNREAD_POLICIES
    if UNREADABLE in kinds:
        yield UNREAD_STATEMENTS


def _explained(index: PolicyIndex, account: str, breach: AssertionBreach) -> AssertionBreach:
    """The breach with the statement that allows it."""
    member = index.member(account, breach.entity)
    if member is None:
        return breach
    question = AccessQuestion(breach.action, breach.resource, accounts=frozenset({account}))
    for step in explanation_of(index, member, question).grants:
        policy = step.policy.name if step.policy else step.reason.policy
        return replace(breach, policy=policy or "", statement=step.statement)
    return breach
