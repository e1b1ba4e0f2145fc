"""Each line of a difference is proved by a request that the plain engine answers differently too, and no such
request is without a line.
"""

from __future__ import annotations

import os
import random
from typing import Final

import pytest

from iam.policy.index.difference import AccessDifference, AccessShift
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.scenario import ScenarioEdits, what_if
from tests.iam.policy.index import random_changes
from tests.iam.policy.index.random_changes import ACCOUNT, NOW, Case, Held

SHARED = SharedDocuments()
LATE: Final = (101,)
"""Seeds that found a difference without a line."""
MANY = int(os.environ.get("GATEHOUSE_WITNESSES", "1"))
"""How many times as many cases are tried as in each run of the tests."""


def difference_of(case: Case) -> tuple[AccessDifference, AccessShift | None]:
    """What the index says of the case."""
    index, held_documents, changes = case.index(SHARED)
    difference = what_if(index, {ACCOUNT: ScenarioEdits(changes)}, texts=case.texts, now=NOW)
    assert len(held_documents) == len(case.texts)
    shift = next((shift for shift, members in difference.shifts.items() if members[0].id == 1), None)
    return difference, shift


def actions_of(shift: AccessShift, space: ActionNumbering, dice: random.Random) -> list[str]:
    """Some actions of each line, those of the requests among them."""
    changing_names = [
        name
        for name in random_changes.RESOURCES
        if 1 << space.actions.index_of(name) & (shift.any_gain | shift.any_loss)
    ]
    for mask, _ in shift.change.proofs:
        names = space.actions.names(mask & (shift.any_gain | shift.any_loss))
        changing_names += dice.sample(names, min(4, len(names)))
    return changing_names


@pytest.mark.parametrize("seed", range(20 * MANY))
def test_each_line_has_a_witness_that_the_plain_engine_confirms(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(2):
        case = random_changes.case(dice)
        difference, shift = difference_of(case)
        if shift is None:
            continue
        before, after = difference.sides_of(1)
        for action in actions_of(shift, difference.space, dice):
            bit = 1 << difference.space.actions.index_of(action)
            witnesses = shift.witnesses(action, bit, before=before, after=after)
            assert {witness.was_allowed for witness in witnesses} == {
                was for was, mask in ((False, shift.any_gain), (True, shift.any_loss)) if mask & bit
            }
            for witness in witnesses:
                context = {key: list(values) for key, values in witness.context}
                answers = [
                    case.answer(
                        witness.action, witness.resource, context, after=after, agrees=bool(witness.given)
                    )
                    for after in (False, True)
                ]
                assert answers == [witness.was_allowed, not witness.was_allowed], (witness, case)


@pytest.mark.parametrize("seed", range(20 * MANY))
def test_each_request_that_is_answered_differently_is_covered_by_a_line(seed: int) -> None:
    check(random.Random(1000 + seed), cases=1, requests=10_000)


@pytest.mark.parametrize("seed", range(20 * MANY))
def test_few_requests_of_many_cases_are_covered(seed: int) -> None:
    check(random.Random(2000 + seed), cases=2, requests=150)


def check(dice: random.Random, *, cases: int, requests: int) -> None:
    """Whatever differs must be among the lines, in its direction."""
    for _ in range(cases):
        assert_covered(random_changes.case(dice), dice, requests)


def assert_covered(case: Case, dice: random.Random, requests: int) -> None:
    """Each of some random requests that is answered differently is of an action that has a line."""
    difference, shift = difference_of(case)
    more = shift.any_gain if shift else 0
    less = shift.any_loss if shift else 0
    asked = set()
    for _ in range(requests):
        action, resource, context = random_changes.request(dice)
        key = (action, resource, str(context))
        if key in asked:
            continue
        asked.add(key)
        was, becomes = (case.answer(action, resource, context, after=after) for after in (False, True))
        if was != becomes:
            bit = 1 << difference.space.actions.index_of(action)
            has_line = bool((more if becomes else less) & bit)
            assert has_line, (action, resource, context, case)


ANYWHERE: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}
OWN_ROLES: Final = f"arn:aws:iam::{ACCOUNT}:role/*"
OUTSIDE: Final[dict[str, tuple[list[random_changes.JSON], list[random_changes.JSON]]]] = {
    "all but the roles of this account, by a deny": (
        [],
        [
            {"Effect": "Deny", "Action": "sts:*", "Resource": OWN_ROLES},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": "arn:aws:s3:::x"},
        ],
    ),
    "all but the roles of this account, by NotResource": (
        [],
        [{"Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": OWN_ROLES}],
    ),
    "the roles of every account, but for those of this one": (
        [],
        [
            {"Effect": "Deny", "Action": "*", "Resource": f"arn:aws:*:*:{ACCOUNT}:*"},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/app/*"},
        ],
    ),
    "nothing outside of this account any more": (
        [ANYWHERE],
        [
            ANYWHERE,
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}},
            },
        ],
    ),
    "nothing outside of the organization any more": (
        [ANYWHERE],
        [
            ANYWHERE,
            {
                "Effect": "Deny",
                "Action": ["sts:AssumeRole", "kms:*"],
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}},
            },
        ],
    ),
    "one account that a condition names": (
        [],
        [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:ResourceAccount": random_changes.OTHER}},
            }
        ],
    ),
}
"""Statements before and after that differ only in what belongs to other accounts."""


@pytest.mark.parametrize("what", OUTSIDE)
def test_a_difference_outside_of_the_account_has_a_line_and_a_witness(what: str) -> None:
    before, after = OUTSIDE[what]
    case = Case(f"{random_changes.ROLE}/maya", {}, Held([], None), Held([], None), [])
    case.before.identity = [case.digest({"Version": "2012-10-17", "Statement": before})] if before else []
    case.after.identity = [case.digest({"Version": "2012-10-17", "Statement": after})]
    assert_covered(case, random.Random(0), 300)
    difference, shift = difference_of(case)
    assert shift is not None
    left, right = difference.sides_of(1)
    bit = 1 << difference.space.actions.index_of("sts:AssumeRole")
    (witness,) = shift.witnesses("sts:AssumeRole", bit, before=left, after=right)
    assert witness.resource.split(":")[4] not in ("", ACCOUNT)
    assert witness.given


@pytest.mark.parametrize("seed", LATE)
def test_requests_of_cases_that_once_had_no_line_are_covered(seed: int) -> None:
    check(random.Random(2000 + seed), cases=2, requests=150)
