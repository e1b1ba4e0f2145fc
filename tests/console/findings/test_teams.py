"""Findings by the team whose users they are about."""

from __future__ import annotations

import pytest

from iam.audit.findings.calculation import calculate
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import EdgeKind
from tests import factories
from tests.console.findings.test_pages import signed_in, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def teams() -> dict[str, Team]:
    account = factories.account()
    factories.synced(account)
    teams = {}
    for name, login in (("payments", "kwame"), ("data", "priya")):
        teams[name] = Team.objects.create(name=name.title(), slug=name)
        TeamRule.objects.create(team=teams[name], kind=RuleKind.GROUP, value=name)
        user = factories.user(account, login, credentials={"mfa": "none"})
        factories.edge(EdgeKind.MEMBER, user, factories.group(account, name))
    factories.user(account, "nobodys", credentials={"mfa": "none"})
    calculate(account)
    return teams


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", {"kwame", "priya", "nobodys"}),
        ("&team=payments", {"kwame"}),
        ("&team=data", {"priya"}),
        ("&team=unknown", {"kwame", "priya", "nobodys"}),
    ],
)
def test_an_auditor_narrows_to_a_team(query: str, named: set[str]) -> None:
    page = text(signed_in(Role.AUDITOR), f"/findings/?kind=password-without-mfa{query}")
    assert {name for name in ("kwame", "priya", "nobodys") if f"{name} in" in " ".join(page.split())} == named
    assert 'value="data"' in page


def test_a_lead_is_offered_their_own_teams_only(teams: dict[str, Team]) -> None:
    client = signed_in(Role.TEAM_LEAD, team=teams["payments"])
    page = text(client, "/findings/?kind=password-without-mfa&team=data")
    assert 'value="data"' not in page
    assert "priya" not in page
    assert "kwame" in page
