"""Many actions in one question: as many as the long way finds, action by action, for everybody."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.access.multi_action import group_alike, tallied
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.question import AccessQuestion
from tests.iam.policy.index import longhand
from tests.iam.policy.index import organisations as made

MORE = ("s3:GetObjectAcl", "s3:DeleteObject", "s3:GetBucketPolicy", "kms:Encrypt", "kms:RetireGrant")


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_tallies_are_what_each_action_gives_alone(seed: int) -> None:
    dice = random.Random(seed)
    organisation, question = made.organisation(dice), made.question(dice)
    actions = made.some(dice, (*made.ACTIONS, *MORE), least=2, most=6)
    tallies = tallied(organisation.index(), question, actions)
    can: Counter[int] = Counter()
    may: Counter[int] = Counter()
    for action in actions:
        asked = AccessQuestion(
            action, question.resource, question.context, question.accounts, question.resource_account,
            question.resource_policy, question.strict, question.kinds,
        )  # fmt: skip
        for number, decision in longhand.who_can(organisation, asked).items():
            can[number] += decision is EvaluationDecision.ALLOWED
            may[number] += decision is EvaluationDecision.CONDITIONAL
    shown = {member.id: tallies.tally_of(member) for member in tallies.whole.members()}
    assert {number: (row.can, row.may) for number, row in shown.items()} == {
        number: (can[number], may[number]) for number in can if can[number] or may[number]
    }
    allowed = {member.id for member in tallies.whole.members(EvaluationDecision.ALLOWED)}
    assert allowed == {number for number in can if can[number]}


def test_actions_that_every_policy_treats_alike_are_asked_about_once() -> None:
    organisation = made.Organisation()
    organisation.accounts.append(
        made.AccountRows(
            [
                made.PrincipalRow(
                    1,
                    "arn:aws:iam::111111111111:user/maya",
                    grants=made.PolicyHoldings(inline=(("x", organisation.digest(READ)),)),
                )
            ],
            number="111111111111",
        )
    )
    actions = ["s3:GetObject", "s3:GetObjectAcl", "s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy"]
    groups = group_alike(organisation.index(), actions, AccessQuestion("", "*"))
    assert groups == [
        ["s3:GetObject", "s3:GetObjectAcl"],
        ["s3:PutObject", "s3:DeleteObject"],
        ["s3:PutBucketPolicy"],
    ]


READ = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}'
