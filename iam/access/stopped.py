"""Who would be able to, but for a deny: looked for among those whose policies allow it, and no further than is cheap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from iam.policy.evaluate import FREE, Decision, decide
from iam.policy.index.classes import Bundle, Class, Member
from iam.policy.index.index import Index
from iam.policy.index.judging import ALLOWS, DENIES, DEPENDS, SILENT, Judge, Says
from iam.policy.index.question import Answer, Question
from iam.policy.index.who_can import judge_for

LOOKS: Final = 400
"""So many principals are judged one by one; then it is said that there may be more."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Some whom only a deny stops, by account and ARN. `is_whole`: there are no others."""

    members: tuple[Member, ...]
    is_whole: bool


def stopped(index: Index, question: Question, answer: Answer, *, most: int) -> Stopped:
    """Up to `most` principals of the question's accounts who have an allow that a deny beats."""
    found: list[Member] = []
    for looks, member in enumerate(_candidates(index, question, answer)):
        if len(found) == most or looks == LOOKS:
            return Stopped(_sorted(found), is_whole=False)
        request, policies = index.request_and_policies(member, question)
        speaking = policies.identity.speaking_of(request.lowered)
        if not any(one.allows and one.applies(request) for one in speaking):
            continue
        if decide(request, policies) is Decision.EXPLICITLY_DENIED:
            found.append(member)
    return Stopped(_sorted(found), is_whole=True)


def _sorted(found: list[Member]) -> tuple[Member, ...]:
    return tuple(sorted(found, key=lambda member: (member.account, member.arn)))


def _candidates(index: Index, question: Question, answer: Answer) -> Iterator[Member]:
    """Those who hold a document that may allow it, and yet are not in the answer."""
    judge, place = judge_for(question, shards=index.accounts, documents=index.documents, moment=index.moment)
    if judge.lowered in FREE:
        return
    judge.listen(index.register)
    able = {cls for classes in answer.whole.values() for cls in classes}
    able_members = {member for part in answer.parts for member in part.members}
    for bundle in _bundles(index, judge):
        for profile in bundle.profiles:
            for cls in profile.classes if profile.limits.flags[0] in question.kinds else ():
                if cls not in able and _is_asked(cls, question, place.account):
                    yield from (member for member in cls.members if member not in able_members)


def _bundles(index: Index, judge: Judge) -> list[Bundle]:
    """Those with a document that may allow it; first those that have one, too, that denies it."""
    found: dict[Bundle, Says] = {}
    for doc, said in judge.said.items():
        if said & ALLOWS or (said & DEPENDS and judge.spoken[doc].allows):
            for bundle in index.register.bundles_of[doc]:
                found[bundle] = SILENT
    for doc, said in judge.said.items():
        for bundle in index.register.bundles_of[doc] if said & DENIES else ():
            if bundle in found:
                found[bundle] |= said
    return sorted(found, key=lambda bundle: not found[bundle] & DENIES)


def _is_asked(cls: Class, question: Question, place: str) -> bool:
    """Whether its account is asked about, and is that of the resource where this is known."""
    if place and cls.account != place:
        return False
    return question.accounts is None or cls.account in question.accounts
