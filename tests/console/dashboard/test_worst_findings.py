"""The overview shows the worst findings, to each role those that it may see."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from iam.audit.findings.calculation import calculate
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import Account, EdgeKind
from tests import factories
from tests.console.findings.test_pages import signed_in, text

pytestmark = pytest.mark.django_db
MINE, OTHERS = "Console password without MFA: kwame", "Console password without MFA: tomas"
CARD, SCORE = "Worst findings", "Posture score"


@pytest.fixture(autouse=True)
def team() -> Team:
    cache.clear()
    account = factories.account()
    factories.synced(account)
    team = Team.objects.create(name="Payments", slug="payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments")
    factories.user(account, "tomas", credentials={"mfa": "none"})
    kwame = factories.user(account, "kwame", credentials={"mfa": "none"})
    factories.edge(EdgeKind.MEMBER, kwame, factories.group(account, "payments"))
    calculate(account)
    return team


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (Role.ADMINISTRATOR, {CARD, SCORE, MINE, OTHERS}),
        (Role.APPROVER, {CARD, SCORE, MINE, OTHERS}),
        (Role.AUDITOR, {CARD, SCORE, MINE, OTHERS}),
        (Role.TEAM_LEAD, {CARD, MINE}),
        (Role.MEMBER, set()),
    ],
)
def test_each_role_sees_what_it_may(role: Role, seen: set[str], team: Team) -> None:
    led = team if role is Role.TEAM_LEAD else None
    page = text(signed_in(role, team=led), "/")
    assert {words for words in (CARD, SCORE, MINE, OTHERS) if words in page} == seen


def test_fixed_and_unread_findings_are_told_apart(team: Team) -> None:
    Account.objects.all().delete()
    factories.account("222222222222", name="data")
    page = text(signed_in(Role.AUDITOR), "/")
    assert "Findings aren’t calculated yet." in page
    assert "Unknown" in page
