"""AWS's own managed policies, as moto ships them: AWS took them, and retires names that they keep; and a few
facts about some of them.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cache

from moto.iam.aws_managed_policies import aws_managed_policies_data

from iam.policy.lint import LintFinding, LintSeverity, lint


@cache
def _all() -> dict[str, list[LintFinding]]:
    policies = json.loads(aws_managed_policies_data)
    return {
        name: lint(json.dumps(policy["Document"], indent=4), kind="identity", quota=None)
        for name, policy in policies.items()
    }


def test_aws_would_refuse_no_managed_policy() -> None:
    assert len(_all()) > 1_500
    errors = [
        (name, finding) for name, findings in _all().items() for finding in findings if finding.is_refused
    ]
    assert errors == []


def test_only_few_names_of_aws_itself_are_errors() -> None:
    """Of some 20,000 names; those of retired services most of all."""
    errors = Counter(
        finding.code
        for findings in _all().values()
        for finding in findings
        if finding.severity is LintSeverity.ERROR
    )
    assert sum(errors.values()) < 300
    assert set(errors) <= {
        "INVALID_ACTION",
        "INVALID_SERVICE_IN_ACTION",
        "INVALID_SERVICE_CONDITION_KEY",
        "INVALID_ARN_RESOURCE",
        "MISSING_QUALIFIER",
    }


def _codes(name: str) -> set[str]:
    return {finding.code for finding in _all()[name]}


def test_administrators_power_users_and_readers_are_told_apart() -> None:
    assert "ALLOW_WITH_STAR_IN_ACTION_AND_RESOURCE" in _codes("AdministratorAccess")
    assert "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE" in _codes("AdministratorAccess")
    assert "ALLOW_WITH_NOT_ACTION" in _codes("PowerUserAccess")
    assert "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE" in _codes("IAMFullAccess")
    assert _codes("AmazonS3ReadOnlyAccess") <= {
        "ACTION_MATCHES_NOTHING",
        "INVALID_ACTION",
        "INVALID_SERVICE_IN_ACTION",
    }


def test_mistakes_of_aws_itself_are_found_at_their_places() -> None:
    code_and_path = {
        (finding.code, finding.path) for finding in _all()["AmazonEC2RoleforAWSCodeDeployLimited"]
    }
    assert ("ACTION_MATCHES_NO_RESOURCE", "Statement[0].Action[2]") in code_and_path


def test_most_names_of_aws_are_known() -> None:
    """The catalogue lacks what AWS has retired: a share that would jump if a check or the data broke."""
    count = Counter(finding.code for findings in _all().values() for finding in findings)
    assert (
        0
        < count["INVALID_ACTION"] + count["INVALID_SERVICE_IN_ACTION"] + count["ACTION_MATCHES_NOTHING"]
        < 600
    )
    assert count["INVALID_SERVICE_CONDITION_KEY"] + count["INVALID_GLOBAL_CONDITION_KEY"] < 30
    assert count["INVALID_ARN_RESOURCE"] + count["ACTION_MATCHES_NO_RESOURCE"] < 60
    assert count["TYPE_MISMATCH"] < 20
