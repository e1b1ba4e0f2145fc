"""A graph that is made of what was kept is the one that would be made of everything anew."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.policy.escalation.account_graphs import AccountGraphs
from iam.policy.escalation.graph import EscalationGraph, GoalDistances
from iam.policy.escalation.states import OutsideFacts
from iam.policy.index.index import PolicyIndex
from tests.iam.policy.escalation.builders import World, allow, deny
from tests.iam.policy.escalation.random_worlds import ACTIONS, RESOURCES, world


def said(graph: EscalationGraph) -> dict[tuple[str, int], tuple[bool, int]]:
    """Who becomes administrator: whether surely, and in how many steps."""
    reach: GoalDistances = graph.to_administrator()
    bits_by_pair = {}
    for at in graph.everybody:
        hops = reach.best(at)
        member = graph.node(at).member
        if hops is not None and member is not None:
            bits_by_pair[at.account, member.id] = (at in reach.sure, hops[at][0])
    return bits_by_pair


def change(world: World, dice: random.Random, index: PolicyIndex, held_documents: list[Any]) -> None:
    """Another policy for one principal, another place for one account, or an account that goes."""
    rows = dice.choice(world.organisation.accounts)
    if dice.random() < 0.15:
        index.drop(rows.number)
        return
    statement = dice.choice((allow, deny))(dice.choice(ACTIONS), dice.choice(RESOURCES))
    body = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    digest = world.organisation.digest(body)
    held_documents.append(index.documents.add(digest, body))
    if dice.random() < 0.2:
        policy = type(rows.standing.scps[0][0])(-1, "more", digest) if rows.standing.scps else None
        if policy is not None:
            rows.standing = replace(rows.standing, scps=((policy, *rows.standing.scps[0]),))
    else:
        changed = dice.choice(list(rows.principals))
        changed.grants = replace(changed.grants, inline=(*changed.grants.inline, (f"more-{digest}", digest)))
    index.enter_account(rows)


@settings(max_examples=15)
@given(st.integers(0, 2**32))
def test_what_was_kept_makes_the_same_graph(seed: int) -> None:
    scene, dice, results = world(random.Random(seed)), random.Random(seed + 1), list[Any]()
    index, kept = scene.index, AccountGraphs()
    facts = scene.facts
    assert said(EscalationGraph(index, facts=facts, kept=kept)) == said(EscalationGraph(index, facts=facts))
    for _ in range(4):
        if dice.random() < 0.3:
            facts = OutsideFacts(
                passwords={pk: dice.random() < 0.5 for s in index.accounts.values() for pk in s.members}
            )
        else:
            change(scene, dice, index, results)
        assert said(EscalationGraph(index, facts=facts, kept=kept)) == said(
            EscalationGraph(index, facts=facts)
        )


def test_only_the_account_that_changed_is_looked_at_again() -> None:
    scene, kept = world(random.Random(5)), AccountGraphs()
    index = scene.index
    number = len(index.accounts)
    assert number > 1
    EscalationGraph(index, facts=scene.facts, kept=kept)
    assert kept.made == number
    index.enter_account(scene.organisation.accounts[0])
    EscalationGraph(index, facts=scene.facts, kept=kept)
    assert kept.made == number + 1
