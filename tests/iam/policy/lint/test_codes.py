"""Each code of the lint is found where it belongs and not found close by."""

from __future__ import annotations

import pytest

from iam.policy.lint import QUOTAS, SEVERITIES, CharacterQuota, LintFinding, LintKind, lint
from tests.iam.policy.lint.builders import Case
from tests.iam.policy.lint.cases import CASES

SMALL = CharacterQuota("a small one", 400)


def _found(text: str, case: Case) -> list[LintFinding]:
    quota = (
        SMALL if case.code == "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA" else QUOTAS.get(LintKind(case.kind))
    )
    return lint(text, kind=case.kind, quota=quota)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_policy_that_has_it_is_told_so_at_the_place(case: Case) -> None:
    findings = [finding for finding in _found(case.bad, case) if finding.code == case.code]
    assert case.path in [finding.path for finding in findings], _found(case.bad, case)
    for finding in findings:
        assert finding.message.endswith((".", ")"))
        assert finding.remedy
        assert "\n" not in finding.message + finding.remedy


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_policy_close_to_it_is_not(case: Case) -> None:
    assert case.code not in [finding.code for finding in _found(case.good, case)]


def test_every_code_has_a_case_and_every_case_a_code() -> None:
    assert {case.code for case in CASES} == set(SEVERITIES)
