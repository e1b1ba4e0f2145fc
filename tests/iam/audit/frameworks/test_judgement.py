"""The reasons beside a state: those of one account by itself, that of many together."""

from __future__ import annotations

import pytest

from iam.audit.frameworks.checks.case import AccountCase
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.evaluation import FindingRef, RequirementPart, account_parts
from iam.audit.frameworks.judgement import judge
from iam.audit.frameworks.terms import AutomaticVerdict, RequirementState
from tests.iam.audit.findings.rules.site import Site

LISTED = "2 users and roles can change the policy of any key or delete it."


@pytest.mark.parametrize(
    ("accounts", "reason"),
    [
        (("111111111111",), LISTED),
        (("111111111111", "222222222222"), "A person must attest: "),
    ],
)
def test_what_a_list_of_one_account_says_is_not_said_of_all(accounts: tuple[str, ...], reason: str) -> None:
    requirement = all_frameworks()["pci-dss-4.0.1"].requirement("3.7")
    assert requirement is not None
    part = RequirementPart(AutomaticVerdict.PERSON, (LISTED,))
    result = judge(requirement, dict.fromkeys(accounts, part))
    assert result.state is RequirementState.PERSON
    assert result.reason.startswith(reason)


@pytest.mark.parametrize(
    ("failing", "last"),
    [(4, "Path to administrator: 1 finding."), (5, "And 1 more reason."), (7, "And 3 more reasons.")],
)
def test_reasons_that_are_left_out_are_counted(failing: int, last: str) -> None:
    framework = all_frameworks()["pci-dss-4.0.1"]
    requirement = framework.requirement("7.2.2")
    assert requirement is not None
    findings = [FindingRef(kind, kind, kind) for kind in requirement.findings[:failing]]
    reasons = account_parts(framework, AccountCase(Site().facts()), findings, ())["7.2.2"].reasons
    assert reasons[-1] == last
    assert len(reasons) == min(failing, 5)
