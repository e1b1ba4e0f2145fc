"""Which of the statements that open the same paths to administrator a group is named by."""

from __future__ import annotations

import pytest

from iam.access.escalation_calculation.groups import grouped
from iam.policy.escalation.graph import GraphNode
from iam.policy.escalation.held_statements import TRUST, HeldStatement

HOME, OTHER = "555555555555", "222222222222"
START, SECOND = GraphNode(HOME, 1), GraphNode(HOME, 2)
OWN = frozenset({HeldStatement(f"arn:aws:iam::{HOME}:user/hub", "hub", 0)})
FOREIGN = frozenset({HeldStatement(f"arn:aws:iam::{OTHER}:role/writer", "change", 3)})
OF_AWS = frozenset({HeldStatement("arn:aws:iam::aws:policy/AdministratorAccess", "AdministratorAccess", 0)})
TRUSTED = frozenset({HeldStatement(f"arn:aws:iam::{HOME}:role/own", TRUST, 0)})


@pytest.mark.parametrize(
    ("options", "opener"),
    [
        ({OWN, FOREIGN}, OWN),
        ({OF_AWS, FOREIGN}, OF_AWS),
        ({TRUSTED, FOREIGN}, FOREIGN),
        ({OWN | OF_AWS, FOREIGN}, FOREIGN),
    ],
    ids=["own", "of AWS", "a trust policy comes last", "fewer statements come first"],
)
def test_of_statements_that_close_as_much_those_of_the_own_account_name_the_group(
    options: set[frozenset[HeldStatement]], opener: frozenset[HeldStatement]
) -> None:
    assert grouped({START: frozenset(options)}) == {opener: [START]}


def test_what_closes_more_goes_before_the_own_account() -> None:
    options = {START: frozenset({OWN, FOREIGN}), SECOND: frozenset({FOREIGN})}
    assert grouped(options) == {FOREIGN: [START, SECOND]}
