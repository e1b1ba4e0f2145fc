"""Scores are kept by day; who sees which accounts sees their score."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from iam.audit.findings.calculation import calculate, computed_of
from iam.audit.posture.days import posture_of_computed, posture_trend
from iam.audit.posture.models import PostureDay
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


def test_the_past_is_scored_by_the_same_formula(account: Account) -> None:
    user = factories.user(account, "tomas", credentials={"mfa": "none"})
    then = factories.FIRST_READ + timedelta(days=1)
    factories.becomes(UserCredentials.objects.get(user=user), at=then + timedelta(days=1), mfa="virtual")
    before, now = (
        posture_of_computed(computed_of(account, at=then)),
        posture_of_computed(computed_of(account)),
    )
    assert "password-without-mfa" in {line.kind for line in before.lines}
    assert "password-without-mfa" not in {line.kind for line in now.lines}


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
