"""The way in which someone can: read off the judged policies, it is the one that the explanation of the plain
engine gives.
"""

from __future__ import annotations

import random
from dataclasses import replace
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.access.answer_runs import PrincipalRuns
from iam.access.answers import AnswerBasis, CompleteAnswer
from iam.access.multi_action import tallied
from iam.access.ways import AccessWay, AccessWays, AccountMentions
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion, MatchedPrincipals
from iam.policy.request import PrincipalKind
from tests.iam.policy.index import organisations as made
from tests.iam.policy.index.test_image import from_images


def ways_of(index: PolicyIndex, question: AccessQuestion, actions: list[str]) -> dict[int, AccessWay]:
    """The way of each who can."""
    tallies = tallied(index, question, actions)
    ways = AccessWays(index, lambda action: replace(question, action=action), tallies)
    bases = {number: AnswerBasis((shard, 0), None, 0) for number, shard in index.accounts.items()}
    by_way = CompleteAnswer(tallies, ways, bases).by_way
    return {member.id: way for way, runs in by_way.items() for run in runs.runs for member in run.members}


@settings(max_examples=80)
@given(st.integers(0, 2**32))
def test_the_quick_way_is_the_explained_way(seed: int) -> None:
    dice = random.Random(seed)
    organisation, question = made.organisation(dice), made.question(dice)
    actions = made.some(dice, made.ACTIONS, least=1, most=3)
    index, documents = from_images(organisation)
    quick = ways_of(index, question, actions)
    assert quick == ways_of(organisation.index(), question, actions)
    with (
        patch.object(AccessWays, "only_way", lambda self, members: None),
        patch.object(AccessWays, "_own_way", lambda self, member, action, is_sure: None),
        patch.object(AccountMentions, "way_among", lambda self, key, effects, is_sure: None),
    ):
        assert quick == ways_of(index, question, actions)
    del documents


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_the_ways_in_an_index_of_images_are_those_of_its_rows(seed: int) -> None:
    dice = random.Random(seed)
    organisation = made.organisation(dice)
    index, documents = from_images(organisation)
    fresh = organisation.index()
    for _ in range(3):
        question = made.question(dice)
        for actions in ([question.action], [question.action, "s3:GetObject", "iam:PassRole", "s3:PutObject"]):
            assert ways_of(index, question, actions) == ways_of(fresh, question, actions)
    del documents


def test_users_and_roles_of_one_run_are_counted_apart() -> None:
    class Somebody:
        """A member as far as counting looks at it."""

        def __init__(self, kind: PrincipalKind) -> None:
            self.kind = kind

    kinds = (PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.USER)
    mixed = MatchedPrincipals(EvaluationDecision.ALLOWED, "111111111111", tuple(map(Somebody, kinds)))  # type: ignore[arg-type]
    runs = PrincipalRuns([mixed])
    assert runs.parts.user_count == 2
    assert [member.kind for members in runs.parts.users for member in members] == [PrincipalKind.USER] * 2
