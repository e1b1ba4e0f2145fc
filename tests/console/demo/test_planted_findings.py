"""The sample organization, read like any other: every planted problem is found by its kind, nothing else is
critical or high, what only looks wrong is not found, and the assertions are as planted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from console.demo.assertions import APPROVER, REQUESTER, write_assertions
from console.demo.organisation.gatehouse import EXTERNAL_ID
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.hub import HUB_ACCESS_KEY_ID
from iam.audit.assertions.report import rows_now as assertion_rows
from iam.audit.findings.report import rows_now
from iam.audit.findings.rules import all_rules
from iam.aws import credentials
from iam.directory.models import Role
from iam.mirror import snapshot
from iam.mirror.models import Account
from iam.mirror.services import request_pull, run_pull
from tests import factories
from tests.console.demo.planted import HARMLESS, PLANTED, Problem
from tests.iam.changes.standin import running

pytestmark = pytest.mark.django_db
ASSERTIONS = Path(__file__).with_name("planted_assertions.json")
ELSEWHERE = ("trail-", "services-unused-")
"""Kinds that rest on CloudTrail or on last-accessed data, where no rule finds them yet."""
WORST = ("critical", "high")
NO_ADMINISTRATOR = {
    "arn:aws:iam::880311547790:group/teams/qa": "the boundary of its members leaves them what they have",
    "arn:aws:iam::612044783021:group/teams/ml-research": "no role that Batch can have is administrator",
}
"""Paths to more, and not to administrator, of which the rule on escalation says nothing."""
FOLLOWING = {
    "arn:aws:iam::aws:policy/AdministratorAccess": "who makes keys can make one of gunnar.hauge",
    "arn:aws:iam::880311547790:policy/jobs/PlatformStaging": "who starts instances gets the role jenkins",
}
"""Causes of escalation that follow from other planted problems."""


@pytest.fixture
def accounts(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Iterator[list[Account]]:
    """Northline's accounts, read from the stand-in."""
    settings.AWS_RATE = 1000
    with running(tmp_path) as standin:
        monkeypatch.setenv("AWS_ENDPOINT_URL", standin.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", HUB_ACCESS_KEY_ID)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        credentials._kept.clear()
        made = []
        for name, number in ACCOUNT_IDS.items():
            roles = {
                "role_arn": f"arn:aws:iam::{number}:role/gatehouse-reader",
                "write_role_arn": f"arn:aws:iam::{number}:role/gatehouse-writer",
                "external_id": EXTERNAL_ID,
            }
            account = factories.account(number, name=name, **roles)
            pull = run_pull(request_pull(account, trigger="command").pk)
            assert pull.state in ("complete", "partial"), pull.message
            made.append(account)
        for login, role in ((REQUESTER, Role.ADMINISTRATOR), (APPROVER, Role.APPROVER)):
            factories.assign(factories.person(login, email=f"{login}@northline.example"), role)
        yield made
    credentials._kept.clear()
    snapshot.forget()


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
    return problem.kind == "privilege-escalation" and problem.arn in NO_ADMINISTRATOR


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
    false = [str(problem) for problem in HARMLESS if any(is_about(row, problem) for row in rows)]
    assert not false, "\n".join(false)
    broken = [row for row in rows if row["kind"] == "assertion-broken"]
    assert [row["related"] for row in broken] == [
        each["broken_by"] for each in planted if each["state"] == "broken"
    ]
    bad = [row for row in rows if row["severity"] in WORST and row not in broken]
    bad = [row for row in bad if not (row["kind"] == "privilege-escalation" and is_following(row))]
    unplanted = [row for row in bad if not any(is_about(row, problem) for problem in PLANTED)]
    assert not unplanted, "\n".join(f"{row['kind']} {row['subject']}" for row in unplanted)
