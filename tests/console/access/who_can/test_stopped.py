"""Whom only a deny stops: each of them has an allow that a deny beats, and nobody else has."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.access.denied_principals import stopped
from iam.policy.compiled import PolicyKind, PolicySet
from iam.policy.evaluate import EvaluationDecision
from iam.policy.explain import ReasonOutcome
from iam.policy.index.question import PEOPLE_AND_ROLES, AccessQuestion
from iam.policy.request import account_of
from tests.iam.policy.index import longhand
from tests.iam.policy.index import organisations as made


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_stopped_principals_are_denied_and_would_be_allowed(seed: int) -> None:
    dice = random.Random(seed)
    organisation = made.organisation(dice)
    question = replace(made.question(dice), kinds=PEOPLE_AND_ROLES, resource_policy=None)
    index = organisation.index()
    denied = stopped(index, question, index.who_can(question), most=1000)
    assert denied.is_whole
    place = question.resource_account or account_of(question.resource)
    expected = set()
    for number, decision in longhand.who_can(organisation, question).items():
        member = next(member for member in index.members if member.id == number)
        request, policies = index.request_and_policies(member, question)
        without_denies = PolicySet(
            PolicyKind.IDENTITY,
            tuple(compiled for compiled in policies.identity.statements if compiled.allows),
        )
        _, allowed = without_denies.judge(request)
        is_here = place in ("", member.account)
        if decision is EvaluationDecision.EXPLICITLY_DENIED and allowed and is_here:
            expected.add(number)
    assert {member.id for member in denied.members} == expected


def test_only_as_many_as_wanted_are_given_and_that_is_told() -> None:
    organisation = made.Organisation()
    both = tuple((name, organisation.digest(text)) for name, text in (("yes", ALLOW), ("no", DENY)))
    people = [
        made.PrincipalRow(
            number, f"arn:aws:iam::111111111111:user/u{number}", grants=made.PolicyHoldings(inline=both)
        )
        for number in range(1, 6)
    ]
    organisation.accounts.append(made.AccountRows(people, number="111111111111"))
    index = organisation.index()
    question = AccessQuestion("s3:GetObject", "arn:aws:s3:::docs/x")
    answer = index.who_can(question)
    first_two = stopped(index, question, answer, most=2)
    assert (len(first_two.members), first_two.is_whole) == (2, False)
    every = stopped(index, question, answer, most=9)
    assert ([member.id for member in every.members], every.is_whole) == ([1, 2, 3, 4, 5], True)
    reasons = index.explain(every.members[0], question).reasons
    assert [reason.outcome for reason in reasons] == [ReasonOutcome.DENIES]


ALLOW = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
DENY = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}}'
