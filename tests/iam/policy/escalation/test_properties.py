"""Properties over random organisations: the graph finds what the long way finds, and a deny never opens a
way.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.iam.policy.escalation.builders import CONDITIONAL, NONE, SURE, World, deny
from tests.iam.policy.escalation.longhand import Longhand
from tests.iam.policy.escalation.random_worlds import ACTIONS, RESOURCES, world

ORDER = (NONE, CONDITIONAL, SURE)


def answers(world: World) -> dict[str, str]:
    return {name: world.becomes_administrator(name) for name in world.arns}


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_the_graph_finds_what_the_long_way_finds(seed: int) -> None:
    scene = world(random.Random(seed))
    slowly = Longhand(scene)
    for name, answer in answers(scene).items():
        member = scene.index.member(*scene.arns[name])
        assert member is not None
        expected = (
            SURE
            if slowly.reaches(member, is_sure=True)
            else CONDITIONAL
            if slowly.reaches(member, is_sure=False)
            else NONE
        )
        assert answer == expected, name


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_a_deny_never_opens_a_way(seed: int) -> None:
    before = answers(world(random.Random(seed)))
    dice = random.Random(seed + 1)
    after = world(random.Random(seed))
    refusal = deny(dice.choice(ACTIONS), dice.choice(RESOURCES))
    rows = dice.choice(after.organisation.accounts)
    changed = dice.choice(list(rows.principals))
    digest = after.organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": [refusal]}))
    changed.grants = replace(changed.grants, inline=(*changed.grants.inline, ("refusal", digest)))
    for name, answer in answers(after.changed()).items():
        assert ORDER.index(answer) <= ORDER.index(before[name]), name


def test_random_organisations_have_all_sorts_of_answers() -> None:
    """What the properties above would be worth nothing without."""
    answers_of_all = [answer for seed in range(40) for answer in answers(world(random.Random(seed))).values()]
    assert min(answers_of_all.count(answer) for answer in ORDER) > 10
