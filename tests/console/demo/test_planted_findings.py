"""The sample organization, read like any other: every planted problem is found by its kind, nothing else is
critical or high, what only looks wrong is not found, and the assertions are as planted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.demo.assertions import write_assertions
from console.demo.organisation.people import ACCOUNT_IDS
from iam.audit.assertions.report import rows_now as assertion_rows
from iam.audit.findings.report import rows_now
from iam.audit.findings.rules import all_rules
from iam.mirror.models import Account
from tests.console.demo.planted import HARMLESS, PLANTED, Problem

pytestmark = pytest.mark.django_db
ASSERTIONS = Path(__file__).with_name("planted_assertions.json")
ELSEWHERE = ("trail-",)
"""Kinds that rest on CloudTrail, where no rule finds them yet."""
WORST = ("critical", "high")
FOLLOWING = {
    "arn:aws:iam::aws:policy/AdministratorAccess": "who makes keys can make one of gunnar.hauge",
    "arn:aws:iam::880311547790:policy/jobs/PlatformStaging": "who starts instances gets the role jenkins",
    "arn:aws:iam::880311547790:policy/jobs/StagingDeploy": "who uses the cluster gets the role ci-deployer",
}
"""Causes of escalation that follow from other planted problems."""


def about(row: dict[str, Any]) -> set[str]:
    """Everything that a finding names: its subject, who is affected, its account."""
    root = f"arn:aws:iam::{row['account']}:root"
    return {row["subject"], root, *row["related"]}


def is_about(row: dict[str, Any], problem: Problem) -> bool:
    is_account = problem.arn.endswith(":root")
    named = about(row) if is_account else about(row) - {f"arn:aws:iam::{row['account']}:root"}
    return (
        row["kind"] == problem.kind
        and row["account"] == ACCOUNT_IDS[problem.account]
        and problem.arn in named
    )


def is_expected_elsewhere(problem: Problem) -> bool:
    return problem.kind.startswith(ELSEWHERE) and problem.kind not in all_rules()


def is_following(row: dict[str, Any]) -> bool:
    suffixes = tuple(arn.rpartition(":")[2] for arn in FOLLOWING)
    return row["subject"].endswith(suffixes)


def is_no_administrator(problem: Problem) -> bool:
    """A path to more, and not to administrator, of which the rule on escalation says nothing."""
    return problem.more.get("administrator") is False


def test_the_planted_problems_are_found_and_nothing_else_is_bad(accounts: list[Account]) -> None:
    write_assertions()
    asserted = {row["name"]: row for row in assertion_rows()}
    planted = json.loads(ASSERTIONS.read_text())["assertions"]
    assert len(asserted) == len(planted) == 3
    for each in planted:
        row = asserted[each["name"]]
        assert (row["state"], row["broken_by"]) == (each["state"], each["broken_by"]), row

    rows = list(rows_now(accounts))
    wanted = [problem for problem in PLANTED if not is_expected_elsewhere(problem)]
    wanted = [problem for problem in wanted if not is_no_administrator(problem)]
    missing = [str(problem) for problem in wanted if not any(is_about(row, problem) for row in rows)]
    assert not missing, "\n".join(missing)
    no_findings = (*HARMLESS, *filter(is_no_administrator, PLANTED))
    false = [str(problem) for problem in no_findings if any(is_about(row, problem) for row in rows)]
    assert not false, "\n".join(false)
    broken = [row for row in rows if row["kind"] == "assertion-broken"]
    assert [row["related"] for row in broken] == [
        each["broken_by"] for each in planted if each["state"] == "broken"
    ]
    bad = [row for row in rows if row["severity"] in WORST and row not in broken]
    bad = [row for row in bad if not (row["kind"] == "privilege-escalation" and is_following(row))]
    unplanted = [row for row in bad if not any(is_about(row, problem) for problem in PLANTED)]
    assert not unplanted, "\n".join(f"{row['kind']} {row['subject']}" for row in unplanted)
