"""The way in which someone can: read off the judged policies, it is the one that the explanation of the plain engine gives."""

from __future__ import annotations

import random
from dataclasses import replace
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.access.answers import Everyone
from iam.access.several import tallied
from iam.access.ways import Way, Ways
from iam.policy.index.index import Index
from iam.policy.index.question import Question
from tests.policy.index import organisations as made


def ways_of(index: Index, question: Question, actions: list[str]) -> dict[int, Way]:
    """The way of each who can."""
    found = tallied(index, question, actions)
    ways = Ways(index, lambda action: replace(question, action=action), found)
    by_way = Everyone(found, ways).by_way
    return {member.id: way for way, runs in by_way.items() for run in runs.runs for member in run.members}


@settings(max_examples=80)
@given(st.integers(0, 2**32))
def test_the_quick_way_is_the_explained_way(seed: int) -> None:
    dice = random.Random(seed)
    organisation, question = made.organisation(dice), made.question(dice)
    actions = made.some(dice, made.ACTIONS, least=1, most=3)
    index = organisation.index()
    quick = ways_of(index, question, actions)
    with patch.object(Ways, "_own_way", lambda self, member, action, is_sure: None):
        assert quick == ways_of(index, question, actions)
