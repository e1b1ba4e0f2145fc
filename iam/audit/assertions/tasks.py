"""Celery task that checks assertions."""

from __future__ import annotations

from celery import shared_task
from django.core.cache import cache
from django.db.models import Count, Sum

from iam.audit.assertions.checks import check_due
from iam.audit.assertions.models import AssertionEvent, AssertionEventKind
from iam.mirror.models import Account
from iam.schedule import every

KEY = "assertions-state"
REST_SECONDS = 300
"""The pause of the task while nothing is written. Only dates in conditions can change results in
that time.
"""


@every(15)
@shared_task(name="iam.audit.assertions.tasks.check_assertions")  # type: ignore[untyped-decorator]
def check_assertions() -> int:
    """Check the assertions of accounts with new writes."""
    state = _state()
    if cache.get(KEY) == state:
        return 0
    checked = check_due()
    cache.set(KEY, state, REST_SECONDS)
    return checked


def _state() -> list[str]:
    """A value that changes with every write to the mirror and every approval. Two queries."""
    accounts = Account.objects.filter(removed_at__isnull=True)
    written = accounts.aggregate(Sum("writes"), Sum("revision"), Count("pk"))
    approved = AssertionEvent.objects.filter(kind=AssertionEventKind.APPROVED).count()
    return [str(written), str(approved)]
