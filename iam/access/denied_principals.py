"""Finds principals that only a deny stops, within a limited amount of work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from iam.policy.evaluate import FREE, EvaluationDecision
from iam.policy.index.classes import IndexedPrincipal, PolicyBundle, PrincipalClass
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.index import PolicyIndex
from iam.policy.index.query_evaluation import ALLOWS, DENIES, DEPENDS, QueryEvaluation
from iam.policy.index.question import AccessQuestion, WhoCanAnswer
from iam.policy.index.statement_needs import Signature
from iam.policy.index.who_can import judge_for

LOOKS: Final = 400
"""The number of groups of identical principals to evaluate before the search stops as incomplete."""


@dataclass(frozen=True, slots=True)
class StoppedPrincipals:
    """Principals that only a deny stops, by account and ARN. `is_whole` is true if there are no others."""

    members: tuple[IndexedPrincipal, ...]
    is_whole: bool


def stopped(
    index: PolicyIndex, question: AccessQuestion, answer: WhoCanAnswer, *, most: int
) -> StoppedPrincipals:
    """Up to `most` principals of the question's accounts whose allow is overridden by a deny.

    Statements are evaluated without names, as in the answer itself: naming the statements of 400 principals
    takes longer than the answer.
    """
    judge, place = judge_for(question, shards=index.accounts, documents=index.documents, moment=index.moment)
    if judge.lowered in FREE:
        return StoppedPrincipals((), is_whole=True)
    judge.load_statements(index.register)
    stopped_members: list[IndexedPrincipal] = []
    looks = 0
    for cls in _candidates(index, judge, answer, question, place.account):
        for signature, members in _judged_alike(judge, cls):
            if looks == LOOKS:
                return StoppedPrincipals(_sorted(stopped_members), is_whole=False)
            looks += 1
            if _is_stopped(judge, members[0], signature):
                stopped_members += members[: most + 1 - len(stopped_members)]
            if len(stopped_members) > most:
                return StoppedPrincipals(_sorted(stopped_members[:most]), is_whole=False)
    return StoppedPrincipals(_sorted(stopped_members), is_whole=True)


def _sorted(stopped_members: list[IndexedPrincipal]) -> tuple[IndexedPrincipal, ...]:
    return tuple(sorted(stopped_members, key=lambda member: (member.account, member.arn)))


def _is_stopped(judge: QueryEvaluation, member: IndexedPrincipal, signature: Signature) -> bool:
    """True if an identity policy allows it and an explicit deny overrides that."""
    profile = member.cls.profile
    effects = judge.said_by(profile, member, signature)
    if not effects & ALLOWS:
        return False
    bounds = judge.bounds(profile.limits, member, signature, is_local=True)
    return bounds.decide(effects) is EvaluationDecision.EXPLICITLY_DENIED


def _judged_alike(
    judge: QueryEvaluation, cls: PrincipalClass
) -> Iterator[tuple[Signature, Sequence[IndexedPrincipal]]]:
    """The members of a class, grouped by equal evaluation."""
    limits = cls.profile.limits
    needs = judge.limited(limits, is_local=True).needs | judge.needs_of(cls.profile.bundle)
    if not needs.tells_apart:
        yield (), cls.members
        return
    groups: dict[Signature, list[IndexedPrincipal]] = {}
    for member in cls.members:
        signature = judge.reader.signature(member, limits.flags[0], needs)
        groups.setdefault(signature, []).append(member)
    yield from groups.items()


def _candidates(
    index: PolicyIndex, judge: QueryEvaluation, answer: WhoCanAnswer, question: AccessQuestion, place: str
) -> Iterator[PrincipalClass]:
    """The classes that hold a document that may allow it and whose members can't all do it."""
    able = set(chain.from_iterable(answer.whole.values()))
    for bundle in _bundles(index, judge):
        for profile in bundle.profiles:
            if profile.limits.flags[0] in question.kinds:
                for cls in profile.classes:
                    if cls not in able and _is_asked(cls, question, place):
                        yield cls


def _bundles(index: PolicyIndex, judge: QueryEvaluation) -> Iterator[PolicyBundle]:
    """Bundles with a document that may allow it, without duplicates; those that also have a denying document
    come first.
    """
    able: list[IndexedDocument] = []
    denying: set[PolicyBundle] = set()
    bundles_of = index.register.bundles_of
    for doc, effects in judge.said.items():
        if effects & ALLOWS or (effects & DEPENDS and judge.spoken[doc].allows):
            able.append(doc)
        if effects & DENIES:
            denying.update(bundles_of[doc])
    seen: set[PolicyBundle] = set()
    for is_first in (True, False):
        for doc in able:
            for bundle in bundles_of[doc]:
                if (bundle in denying) is is_first and bundle not in seen:
                    seen.add(bundle)
                    yield bundle


def _is_asked(cls: PrincipalClass, question: AccessQuestion, place: str) -> bool:
    """True if the class's account is part of the question and, if the resource's account is known,
    equals it.
    """
    if place and cls.account != place:
        return False
    return question.accounts is None or cls.account in question.accounts
