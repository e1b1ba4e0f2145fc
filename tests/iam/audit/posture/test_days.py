"""Scores are kept by day; who sees which accounts sees their score."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding, FindingAcceptance
from iam.audit.findings.report import report_at
from iam.audit.posture.days import posture_days, posture_trend
from iam.audit.posture.models import PastPosture, PostureDay
from iam.audit.posture.past import past_view
from iam.audit.posture.past_calculation import calculate_waiting
from iam.directory.models import Role
from iam.mirror.models import Account, UserCredentials
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


def test_each_calculation_writes_the_score_of_its_day(account: Account) -> None:
    factories.user(account, "tomas", credentials={"mfa": "none"})
    calculate(account)
    row = PostureDay.objects.get()
    assert row.score is not None
    assert row.score < 100
    assert "password-without-mfa" in {line[0] for line in row.lines}
    Account.objects.update(writes=9)
    account.refresh_from_db()
    calculate(account)
    assert PostureDay.objects.count() == 1


def test_a_past_moment_is_calculated_by_a_worker_once(account: Account) -> None:
    user = factories.user(account, "tomas", credentials={"mfa": "none"})
    then = factories.FIRST_READ + timedelta(days=1)
    factories.becomes(UserCredentials.objects.get(user=user), at=then + timedelta(days=1), mfa="virtual")
    later = then + timedelta(days=2)
    assert past_view([account], then) is None
    assert past_view([account], later) is None
    assert calculate_waiting() == 2
    assert calculate_waiting() == 0
    before, after = past_view([account], then), past_view([account], later)
    assert before is not None
    assert after is not None
    assert "password-without-mfa" in {finding.kind for finding in before.findings}
    assert "password-without-mfa" in {line.kind for line in before.posture.lines}
    assert "password-without-mfa" not in {finding.kind for finding in after.findings}
    assert before.posture.score < after.posture.score
    # As the command says it.
    assert before.count == len(report_at([account], then).rows)


def test_an_accepted_finding_costs_nothing_then_either(account: Account) -> None:
    factories.user(account, "tomas", credentials={"mfa": "none"})
    written = datetime.now(tz=UTC)
    Account.objects.update(writes=8)
    account.refresh_from_db()
    calculate(account)
    finding = AuditFinding.objects.get(kind="password-without-mfa")
    FindingAcceptance.objects.create(
        finding=finding,
        state="approved",
        until=written + timedelta(days=9),
        reason="Test user",
        requested_by=uuid4(),
        requested_at=written,
        decided_at=written,
    )
    at = datetime.now(tz=UTC)
    assert past_view([account], at) is None
    calculate_waiting()
    view = past_view([account], at)
    assert view is not None
    statuses = {row.kind: row.status for row in view.findings}
    assert statuses["password-without-mfa"] == "accepted"
    assert "password-without-mfa" not in {line.kind for line in view.posture.lines}


def test_what_was_asked_for_long_ago_is_forgotten(account: Account) -> None:
    at = factories.FIRST_READ + timedelta(days=1)
    past_view([account], at)
    PastPosture.objects.update(requested_at=datetime.now(tz=UTC) - timedelta(days=2))
    assert calculate_waiting() == 0
    assert not PastPosture.objects.exists()


def test_the_days_have_their_mean_and_say_of_how_many_accounts(account: Account) -> None:
    other = factories.account("222222222222", name="data")
    day = factories.FIRST_READ.date()
    for each, score in ((account, 40.0), (other, 60.0)):
        PostureDay.objects.create(account=each, day=day, score=score)
    PostureDay.objects.create(account=account, day=day + timedelta(days=1), score=None)
    assert posture_days([account, other], most=9) == [(day, 50.0, 2)]
    assert posture_days([other], most=9) == [(day, 60.0, 1)]


def test_an_account_that_was_not_read_has_no_score_and_does_not_raise_the_mean(account: Account) -> None:
    other = factories.account("222222222222", name="data")
    calculate(account)
    calculate(other)
    trend = posture_trend(factories.viewer(Role.AUDITOR), account=None)
    alone = posture_trend(factories.viewer(Role.ADMINISTRATOR, name="Hana Sato"), account=account)
    assert trend.posture.score is not None
    assert (trend.accounts, trend.scored) == (2, 1)
    assert trend.posture.score == pytest.approx(alone.posture.score)
    unread = PostureDay.objects.get(account=other)
    assert len(unread.unread) > 40


def test_an_old_score_is_none_and_the_line_has_each_day(account: Account) -> None:
    now = datetime.now(tz=UTC)
    for days, score in ((20, 40.0), (10, 60.0)):
        PostureDay.objects.create(account=account, day=(now - timedelta(days=days)).date(), score=score)
    viewer = factories.viewer(Role.AUDITOR)
    trend = posture_trend(viewer, account=None)
    assert (trend.posture.score, trend.scored) == (None, 0)
    assert [score for _, score in trend.days] == [40.0, 60.0]


@pytest.mark.parametrize("role", [Role.MEMBER])
def test_who_sees_no_account_sees_no_score(role: Role, account: Account) -> None:
    calculate(account)
    trend = posture_trend(factories.viewer(role), account=None)
    assert (trend.posture.score, trend.days, trend.accounts) == (None, (), 0)
