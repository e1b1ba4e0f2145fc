"""The plain engine agrees with the documentation too, so that it can be held against the quick one."""

from __future__ import annotations

import pytest

from tests.iam.policy import naive
from tests.iam.policy.cases.notation import CONDITIONAL
from tests.iam.policy.test_cases import PAGES

UNREADABLE = {
    "a policy as text",
    "an unreadable policy leaves the others in force",
    "a deny stays in force beside an unreadable policy",
}
"""The plain engine reads policies that AWS would take, and no text."""


@pytest.mark.parametrize("page", PAGES)
def test_the_plain_engine_decides_as_the_documentation_says(page: str) -> None:
    decidable = [case for case in PAGES[page] if case.strict != CONDITIONAL and case.name not in UNREADABLE]
    wrong = [
        (case.name, decide, case.note)
        for case in decidable
        if (decide := naive.decide(case.line)) != case.strict
    ]
    assert wrong == []
