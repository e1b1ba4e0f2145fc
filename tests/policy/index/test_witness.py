"""Each line of a difference is proved by a request that the plain engine answers differently too, and no such request is without a line."""

from __future__ import annotations

import os
import random

import pytest

from iam.policy.index.difference import Difference, Shift
from iam.policy.index.documents import Documents
from iam.policy.index.masks import Space
from iam.policy.index.scenario import Edits
from tests.policy.index import changing
from tests.policy.index.changing import ACCOUNT, NOW, Case

SHARED = Documents()
MANY = int(os.environ.get("GATEHOUSE_WITNESSES", "1"))
"""How many times as many cases are tried as in each run of the tests."""


def difference_of(case: Case) -> tuple[Difference, Shift | None]:
    """What the index says of the case."""
    index, held, changes = case.index(SHARED)
    found = index.what_if({ACCOUNT: Edits(changes)}, texts=case.texts, now=NOW)
    assert len(held) == len(case.texts)
    shift = next((shift for shift, members in found.shifts.items() if members[0].id == 1), None)
    return found, shift


def actions_of(shift: Shift, space: Space, dice: random.Random) -> list[str]:
    """Some actions of each line, those of the requests among them."""
    found = [
        name for name in changing.RESOURCES if 1 << space.actions.index_of(name) & (shift.more | shift.less)
    ]
    for mask, _ in shift.change.proofs:
        names = space.actions.names(mask & (shift.more | shift.less))
        found += dice.sample(names, min(4, len(names)))
    return found


@pytest.mark.parametrize("seed", range(20 * MANY))
def test_each_line_has_a_witness_that_the_plain_engine_confirms(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(2):
        case = changing.case(dice)
        found, shift = difference_of(case)
        if shift is None:
            continue
        before, after = found.sides_of(1)
        for action in actions_of(shift, found.space, dice):
            bit = 1 << found.space.actions.index_of(action)
            witnesses = shift.witnesses(action, bit, before=before, after=after)
            assert {one.was_allowed for one in witnesses} == {
                was for was, mask in ((False, shift.more), (True, shift.less)) if mask & bit
            }
            for one in witnesses:
                context = {key: list(values) for key, values in one.context}
                answers = [
                    case.answer(one.action, one.resource, context, after=after, agrees=bool(one.given))
                    for after in (False, True)
                ]
                assert answers == [one.was_allowed, not one.was_allowed], (one, case)


@pytest.mark.parametrize("seed", range(2 * MANY))
def test_each_request_that_is_answered_differently_is_covered_by_a_line(seed: int) -> None:
    check(random.Random(1000 + seed), cases=1, requests=10_000)


@pytest.mark.parametrize("seed", range(20 * MANY))
def test_few_requests_of_many_cases_are_covered(seed: int) -> None:
    check(random.Random(2000 + seed), cases=2, requests=150)


def check(dice: random.Random, *, cases: int, requests: int) -> None:
    """Whatever differs must be among the lines, in its direction."""
    for _ in range(cases):
        case = changing.case(dice)
        found, shift = difference_of(case)
        more = shift.more if shift else 0
        less = shift.less if shift else 0
        asked = set()
        for _ in range(requests):
            action, resource, context = changing.request(dice)
            key = (action, resource, str(context))
            if key in asked:
                continue
            asked.add(key)
            was, becomes = (case.answer(action, resource, context, after=after) for after in (False, True))
            if was != becomes:
                bit = 1 << found.space.actions.index_of(action)
                assert (more if becomes else less) & bit, (action, resource, context, case)
