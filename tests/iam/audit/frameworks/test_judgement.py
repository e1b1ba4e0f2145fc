"""The reason beside a state: that of one account by itself, that of many together."""

from __future__ import annotations

import pytest

from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.evaluation import RequirementPart
from iam.audit.frameworks.judgement import judge
from iam.audit.frameworks.terms import AutomaticVerdict, RequirementState

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
