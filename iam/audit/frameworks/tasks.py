"""Celery task that judges frameworks."""

from __future__ import annotations

from celery import shared_task
from django.core.cache import cache
from django.db.models import Max, Sum

from iam.audit.findings.models import FindingRun
from iam.audit.frameworks import assessment, results
from iam.audit.frameworks.models import ComplianceScope, FrameworkSummary, RequirementDecision
from iam.schedule import every

KEY = "frameworks-state"
REST_SECONDS = 300
"""The pause of the task while nothing is written. Results that depend on age or end dates can be late by this
time.
"""


@every(20)
@shared_task(name="iam.audit.frameworks.tasks.assess_frameworks")  # type: ignore[untyped-decorator]
def assess_frameworks() -> int:
    """Judge accounts with new findings, and requested past moments."""
    state = _state()
    if cache.get(KEY) == state:
        return 0
    count = assessment.assess_due() + results.judge_past_moments()
    cache.set(KEY, _state(), REST_SECONDS)
    return count


def _state() -> str:
    """Return a value that changes after calculations of findings, changes of scopes, and decisions. Four
    queries.
    """
    runs = FindingRun.objects.aggregate(Max("calculated_at"), Sum("seconds"))
    scopes = ComplianceScope.objects.aggregate(Max("changed_at"))
    decisions = RequirementDecision.objects.aggregate(Max("from_at"), Max("ended_at"))
    waiting = FrameworkSummary.objects.filter(updated_at__isnull=True).count()
    return str((runs, scopes, decisions, waiting))
