"""The task of findings rests while nothing is written, and sees what is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iam.audit.findings.models import AuditFinding, FindingRun, FindingStatus
from iam.audit.findings.tasks import calculate_findings
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


def test_the_task_of_findings_rests_until_something_is_written(account: Account) -> None:
    assert calculate_findings() == 1
    assert AuditFinding.objects.filter(status=FindingStatus.OPEN).exists()
    with CaptureQueriesContext(connection) as queries:
        assert calculate_findings() == 0
    assert len(queries) == 3
    Account.objects.filter(pk=account.pk).update(writes=account.writes + 1)
    assert calculate_findings() == 1


def test_the_task_of_findings_calculates_once_another_process_is_done(account: Account) -> None:
    later = timezone.now() + timedelta(minutes=3)
    FindingRun.objects.create(account=account, lease="another", lease_until=later)
    assert calculate_findings() == 0
    FindingRun.objects.update(lease="", lease_until=None)
    assert calculate_findings() == 1
