"""Who can, found through the index, is whom the engine allows one by one."""

from __future__ import annotations

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from iam.policy.evaluate import Decision
from iam.policy.index.index import Index
from iam.policy.index.question import Question
from tests.policy.index import longhand
from tests.policy.index import organisations as made

POSITIVE = {Decision.ALLOWED, Decision.CONDITIONAL}


def decisions(index: Index, question: Question) -> dict[int, Decision]:
    """What the index answers, by number; nobody may be told twice."""
    found: dict[int, Decision] = {}
    for each in index.who_can(question).found():
        for member in each.members:
            assert member.id not in found
            assert member.account == each.account
            found[member.id] = each.decision
    return found


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
        found = decisions(index, question)
        assert found == {number: each for number, each in expected.items() if each in POSITIVE}, question
