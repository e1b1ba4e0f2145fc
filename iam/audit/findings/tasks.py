"""Celery task that calculates findings."""

from __future__ import annotations

from celery import shared_task
from django.core.cache import cache
from django.db.models import Count, Sum

from iam.access.escalation_calculation.models import EscalationCalculation
from iam.audit.assertions import checks
from iam.audit.findings.calculation import calculate_due, is_due
from iam.directory.models import Identity
from iam.mirror.models import Account
from iam.schedule import every

KEY = "findings-state"
REST_SECONDS = 300
"""The pause of the task while nothing is written. Findings that depend on age or on people can be late by
this time.
"""


@every(15)
@shared_task(name="iam.audit.findings.tasks.calculate_findings")  # type: ignore[untyped-decorator]
def calculate_findings() -> int:
    """Calculate the findings of accounts with new writes, and end expired acceptances."""
    state = _state()
    if cache.get(KEY) == state:
        return 0
    calculated = calculate_due()
    accounts = Account.objects.filter(removed_at__isnull=True)
    if not any(is_due(account) for account in accounts):
        cache.set(KEY, state, REST_SECONDS)
    return calculated


def _state() -> list[str]:
    """Return a value that changes with every write, escalation calculation, deactivated person and assertion
    check.

    Three queries instead of several per account.
    """
    accounts = Account.objects.filter(removed_at__isnull=True)
    written = accounts.aggregate(Sum("writes"), Sum("revision"), Count("pk"))
    number = EscalationCalculation.objects.filter(moment="").values_list("number", flat=True).first()
    gone = Identity.objects.filter(person__is_active=False).count()
    return [str(written), str(number), str(gone), checks.stamp()]
