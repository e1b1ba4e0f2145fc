"""On random organisations: a verdict takes apart the very decision of the index, and always says what it
comes from.
"""

from __future__ import annotations

import random

import pytest

from iam.access.principals import AskingPrincipal
from iam.access.simulate import SimulationInquiry, SimulationResult, judge
from iam.access.verdict import BranchVoice
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.question import AccessQuestion
from iam.policy.logic import YES
from tests.iam.policy.index.organisations import organisation, question

pytestmark = pytest.mark.django_db
SEEDS = range(60)


def inquiry_of(member: IndexedPrincipal, asked: AccessQuestion) -> SimulationInquiry:
    policy = asked.resource_policy
    assert policy is None or isinstance(policy, str)
    return SimulationInquiry(
        AskingPrincipal(member.account, member.id, member.arn, member.name, member.kind),
        asked.action,
        asked.resource,
        context=asked.context,
        strict=asked.strict,
        owner=asked.resource_account,
        resource_policy=policy or "",
    )


def check(verdict: SimulationResult) -> None:
    """What must be so whatever the policies are."""
    denying = [branch for branch in verdict.branches if branch.voice is BranchVoice.DENIES]
    silent = [branch for branch in verdict.branches if branch.voice is BranchVoice.SILENT]
    if verdict.decision is EvaluationDecision.EXPLICITLY_DENIED:
        assert verdict.branches[0].voice is BranchVoice.DENIES
        assert all(leaf.mark == YES and not leaf.allows for leaf in verdict.branches[0].leaves)
        assert len(denying) > 1, "the policy that denies is shown in its place, too"
    else:
        assert denying == []
    if verdict.decision is EvaluationDecision.IMPLICITLY_DENIED:
        assert silent
        assert verdict.missing
    if verdict.decision is EvaluationDecision.CONDITIONAL:
        assert verdict.open_conditions
    if verdict.decision is EvaluationDecision.ALLOWED and verdict.branches[0].kind != "rule":
        is_enough = any(branch.is_enough or branch.kind == "resource" for branch in verdict.branches)
        assert is_enough or not silent
        assert verdict.summary.startswith("Allowed")
    assert "isn’t allowed" not in verdict.summary


@pytest.mark.parametrize("seed", SEEDS)
def test_a_verdict_comes_to_the_decision_of_the_index_and_says_why(seed: int) -> None:
    dice = random.Random(seed)
    index = organisation(dice).index()
    for _ in range(6):
        asked = question(dice)
        for member in index.members:
            verdict = judge(index, member, inquiry_of(member, asked))
            is_guess = any(
                branch.kind == "resource" and branch.text.startswith("Not synced.")
                for branch in verdict.branches
            )
            if not is_guess:
                assert verdict.decision is index.decide(member, asked), (member.arn, asked)
            check(verdict)
