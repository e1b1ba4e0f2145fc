"""What changed since a day, or since the last visit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from iam.audit.findings.calculation import calculate
from iam.audit.findings.changes_since import PAUSE, last_visit, note_visit
from iam.audit.findings.models import AuditFinding, FindingEvent, FindingVisit
from iam.directory.models import Role, Team
from iam.mirror.models import Account, UserCredentials
from tests import factories
from tests.console.findings.test_pages import signed_in, text

pytestmark = pytest.mark.django_db
CHANGED = "/findings/?tab=changed"


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


def again(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(writes=account.writes + 1)
    account.refresh_from_db()
    calculate(account)


def test_each_thing_that_happened_is_counted_and_listed(account: Account) -> None:
    user = factories.user(account, "tomas", credentials={"mfa": "none"})
    calculate(account)
    AuditFinding.objects.update(changed_at=factories.FIRST_READ)
    FindingEvent.objects.update(at=factories.FIRST_READ)
    yesterday = f"{datetime.now(tz=UTC) - timedelta(days=1):%Y-%m-%d}"
    client = signed_in(Role.AUDITOR)
    assert "0 new, 0 opened again, 0 fixed" in text(client, f"{CHANGED}&since={yesterday}")
    UserCredentials.objects.filter(user=user).update(mfa="virtual")
    again(account)
    page = text(client, f"{CHANGED}&since={yesterday}")
    assert "1 fixed" in page
    assert "Console password without MFA" in page
    assert "1 new" in page


def test_another_severity_is_a_change(account: Account) -> None:
    factories.user(account, "tomas", credentials={"mfa": "none"})
    calculate(account)
    finding = AuditFinding.objects.get(kind="password-without-mfa")
    AuditFinding.objects.filter(pk=finding.pk).update(severity=3, stamp="", changed_at=factories.FIRST_READ)
    again(account)
    finding.refresh_from_db()
    assert finding.changed_at > factories.FIRST_READ
    event = FindingEvent.objects.get(finding=finding, kind="severity")
    assert event.reason == "From low to high"


def test_pages_within_half_an_hour_are_one_visit(account: Account) -> None:
    viewer = factories.viewer(Role.AUDITOR)
    start = datetime.now(tz=UTC)
    assert note_visit(viewer, now=start) is None
    assert note_visit(viewer, now=start + PAUSE / 2) is None
    assert last_visit(viewer) is None
    second = start + PAUSE / 2 + PAUSE * 2
    assert note_visit(viewer, now=second) == start + PAUSE / 2
    assert note_visit(viewer, now=second + PAUSE / 2) == start + PAUSE / 2
    assert last_visit(viewer) == start + PAUSE / 2


def test_the_list_says_since_the_last_visit(account: Account) -> None:
    client = signed_in(Role.AUDITOR)
    assert "Since your last visit" not in text(client, CHANGED)
    cache.clear()
    FindingVisit.objects.update(at=datetime.now(tz=UTC) - timedelta(days=2))
    assert "Since your last visit" in text(client, CHANGED)


def test_a_lead_is_told_of_their_people_only(account: Account) -> None:
    factories.user(account, "tomas", credentials={"mfa": "none"})
    calculate(account)
    team = Team.objects.create(name="Payments", slug="payments")
    page = text(signed_in(Role.TEAM_LEAD, team=team), CHANGED)
    assert "0 new" in page
    assert "tomas" not in page
