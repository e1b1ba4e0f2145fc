"""The task of frameworks judges once after findings were calculated, and rests until something happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iam.audit.findings.calculation import calculate
from iam.audit.frameworks.assessment import assess_due
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.models import FrameworkAssessment, FrameworkSummary
from iam.audit.frameworks.summaries import LASTS, summarize
from iam.audit.frameworks.tasks import assess_frameworks
from iam.mirror.models import Account
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    cache.clear()
    account = factories.account()
    factories.synced(account)
    factories.user(account, "tomas", credentials={"mfa": "none"})
    return account


def test_nothing_is_judged_before_findings_were_calculated(account: Account) -> None:
    assert assess_frameworks() == 0
    assert not FrameworkAssessment.objects.filter(account__isnull=False).exists()
    results = FrameworkSummary.objects.get(framework="pci-dss-4.0.1").results
    assert results["8.4.2"]["state"] == "needs a person"


def test_the_task_rests_until_findings_are_calculated_again(account: Account) -> None:
    calculate(account)
    assert assess_frameworks() == 1
    results = FrameworkSummary.objects.get(framework="pci-dss-4.0.1").results
    assert results["8.4.2"]["state"] == "failed"
    with CaptureQueriesContext(connection) as queries:
        assert assess_frameworks() == 0
    assert len(queries) == 4
    Account.objects.filter(pk=account.pk).update(writes=account.writes + 1)
    account.refresh_from_db()
    calculate(account)
    assert assess_frameworks() == 1


def test_what_is_not_different_is_written_once_an_hour_only(account: Account) -> None:
    calculate(account)
    began = timezone.now()
    assess_due(now=began)
    with CaptureQueriesContext(connection) as queries:
        assert assess_due(now=began + LASTS / 2) == 0
    assert writes(queries) == 0
    assert set(FrameworkSummary.objects.values_list("updated_at", flat=True)) == {began}
    later = began + LASTS + timedelta(seconds=1)
    assert assess_due(now=later) == 1
    assert set(FrameworkSummary.objects.values_list("updated_at", flat=True)) == {later}
    assert set(FrameworkAssessment.objects.values_list("evaluated_at", flat=True)) == {later}


def test_what_is_different_about_gatehouse_itself_is_written_at_once(account: Account, settings: Any) -> None:
    calculate(account)
    began = timezone.now()
    assess_due(now=began)
    settings.IDLE_MINUTES += 60
    assess_due(now=began + LASTS / 2)
    summary = FrameworkSummary.objects.get(framework="pci-dss-4.0.1")
    assert summary.updated_at == began + LASTS / 2
    assert summary.results["8.2.8"]["state"] == "failed"


def writes(queries: CaptureQueriesContext) -> int:
    """How many statements write."""
    return sum(query["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for query in queries)


def test_an_account_that_is_gone_counts_no_longer(account: Account) -> None:
    calculate(account)
    assess_frameworks()
    Account.objects.filter(pk=account.pk).update(removed_at=factories.FIRST_READ)
    cache.clear()
    assess_frameworks()
    results = FrameworkSummary.objects.get(framework="pci-dss-4.0.1").results
    assert results["8.4.2"]["state"] == "needs a person"


def test_an_account_that_was_not_judged_yet_is_unknown(account: Account) -> None:
    calculate(account)
    assess_frameworks()
    results = FrameworkSummary.objects.get(framework="cis-aws-7.0").results
    assert results["2.12"]["state"] == "passed"
    other = factories.account(account_id="222222222222", name="data")
    summarize(all_frameworks()["cis-aws-7.0"], None, now=timezone.now())
    results = FrameworkSummary.objects.get(framework="cis-aws-7.0").results
    assert (results["2.12"]["state"], results["2.12"]["reason"]) == (
        "needs a person",
        "1 of 2 accounts was not judged yet.",
    )
    assert other.removed_at is None
