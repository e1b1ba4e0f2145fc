"""Who can, found through the index, is whom the engine allows one by one."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import AccountRows, PolicyHoldings, PrincipalRow, RowChanges
from tests.iam.policy.index import longhand
from tests.iam.policy.index import organisations as made

POSITIVE = {EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL}


def decisions(index: PolicyIndex, question: AccessQuestion) -> dict[int, EvaluationDecision]:
    """What the index answers, by number; nobody may be told twice."""
    decisions: dict[int, EvaluationDecision] = {}
    for each in index.who_can(question).groups_of():
        for member in each.members:
            assert member.id not in decisions
            assert member.account == each.account
            decisions[member.id] = each.decision
    return decisions


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32))
@example(331)
def test_the_index_answers_as_the_engine_does_for_each_principal(seed: int) -> None:
    dice = random.Random(seed)
    organisation = made.organisation(dice)
    index = organisation.index()
    for _ in range(8):
        question = made.question(dice)
        expected = longhand.who_can(organisation, question)
        decisions_now = decisions(index, question)
        assert decisions_now == {number: each for number, each in expected.items() if each in POSITIVE}, (
            question
        )


HOMES = "arn:aws:s3:::homes/${aws:username}/*"
EVERYTHING = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
ALL_BUT_HOMES = {"Effect": "Deny", "Action": "s3:*", "NotResource": HOMES}
OWN_HOME = {"Effect": "Allow", "Action": "s3:*", "Resource": HOMES}


@pytest.mark.parametrize("statements", [[OWN_HOME], [EVERYTHING, ALL_BUT_HOMES]])
@pytest.mark.parametrize("accounts", [None, frozenset({made.ACCOUNTS[1]})])
def test_only_those_whom_the_question_names_are_told_apart_by_name(
    statements: list[dict[str, object]], accounts: frozenset[str] | None
) -> None:
    organisation = made.Organisation()
    digest = organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    for place, number in enumerate(made.ACCOUNTS):
        people = [
            PrincipalRow(
                10 * place + n, f"arn:aws:iam::{number}:{name}", "", PolicyHoldings((("home", digest),))
            )
            for n, name in enumerate(("user/Maya", "user/tomas", "role/maya"))
        ]
        organisation.accounts.append(AccountRows(people, (), (), (), number))
    index = organisation.index()
    asked = frozenset(made.ACCOUNTS) if accounts is None else accounts
    for name in ("Maya", "tomas", "nobody"):
        question = AccessQuestion("s3:GetObject", f"arn:aws:s3:::homes/{name}/x", accounts=accounts)
        names = index.who_can(question).names()
        expected = [f"arn:aws:iam::{number}:user/{name}" for number in sorted(asked)]
        assert sorted(names) == (expected if name != "nobody" else [])
    index.apply(made.ACCOUNTS[1], RowChanges(gone=[10]))
    question = AccessQuestion("s3:GetObject", "arn:aws:s3:::homes/Maya/x", accounts=accounts)
    assert len(index.who_can(question).names()) == len(asked) - 1
