"""The plain engine agrees with the documentation too, so that it can be held against the quick one."""

from __future__ import annotations

import pytest

from tests.policy import naive
from tests.policy.cases.writing import CONDITIONAL, Case
from tests.policy.test_cases import CASES

UNREADABLE = {
    "a policy as text",
    "an unreadable policy leaves the others in force",
    "a deny stays in force beside an unreadable policy",
}
"""The plain engine reads policies that AWS would take, and no text."""
DECIDABLE = [case for case in CASES if case.strict != CONDITIONAL and case.name not in UNREADABLE]


@pytest.mark.parametrize("case", DECIDABLE, ids=str)
def test_the_plain_engine_decides_as_the_documentation_says(case: Case) -> None:
    assert naive.decide(case.line) == case.strict, case.note
