"""A run of a source: claimed with a lease, limited, and always ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from iam.activity.sources.bucket import RunBudget, read_bucket
from iam.activity.sources.digests import read_digests
from iam.activity.sources.errors import SourceProblem, problem_of
from iam.activity.sources.history import read_history
from iam.activity.sources.models import SourceKind, TrailSource
from iam.activity.sources.queue import read_queue
from iam.aws.errors import AwsError
from iam.aws.session import Aws
from iam.mirror.pull.reach import UnreachableError, open_account

logger = structlog.get_logger(__name__)

RUN_SECONDS: Final = 240
RUN_FILES: Final = 5_000
EVERY: Final = timedelta(minutes=1)
HISTORY_EVERY: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(hours=1)


def due_sources(now: datetime) -> list[UUID]:
    """Return the sources that are due and that no worker has."""
    rows = TrailSource.objects.filter(
        Q(next_run_at__isnull=True) | Q(next_run_at__lte=now),
        Q(lease_until__isnull=True) | Q(lease_until__lt=now),
        is_paused=False,
        removed_at__isnull=True,
    )
    return list(rows.order_by(F("next_run_at").asc(nulls_first=True)).values_list("pk", flat=True))


def run_source(
    source_id: UUID, *, open_way: Callable[..., Aws] = open_account, files: int = RUN_FILES
) -> RunBudget | None:
    """Read what is new in a source. Returns None if another worker has it or it isn't due."""
    now = timezone.now()
    claimed = TrailSource.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now),
        pk=source_id,
        is_paused=False,
        removed_at__isnull=True,
    ).update(lease_until=now + timedelta(seconds=settings.CHANGE_LEASE))
    if not claimed:
        return None
    source = TrailSource.objects.select_related("account").get(pk=source_id)
    budget = RunBudget(files_left=files, deadline=now + timedelta(seconds=RUN_SECONDS))
    try:
        aws = open_way(source.account)
        try:
            _read(source, aws, budget)
        finally:
            aws.close()
    except UnreachableError as error:
        _end_failed(source, SourceProblem(str(error), "account"))
    except AwsError as error:
        _end_failed(source, problem_of(error, source))
    else:
        _end(source, budget)
    return budget


def _read(source: TrailSource, aws: Aws, budget: RunBudget) -> None:
    if source.kind == SourceKind.HISTORY:
        read_history(source, aws, budget)
        return
    if source.queue_url:
        read_queue(source, aws, budget)
    read_bucket(source, aws, budget)
    read_digests(source, aws, budget)


def _end(source: TrailSource, budget: RunBudget) -> None:
    now = timezone.now()
    pause = HISTORY_EVERY if source.kind == SourceKind.HISTORY else EVERY
    if budget.is_spent:
        pause = timedelta(0)
    TrailSource.objects.filter(pk=source.pk).update(
        lease_until=None,
        next_run_at=now + pause,
        ended_at=now,
        succeeded_at=now,
        failures=0,
        error="",
        error_field="",
    )
    if budget.files:
        logger.info("trail_source.read", source=str(source), files=budget.files, stored=budget.stored)


def _end_failed(source: TrailSource, problem: SourceProblem) -> None:
    """Schedule a retry, after a pause that doubles with each failure."""
    now = timezone.now()
    pause = min(EVERY * 2 ** min(source.failures, 10), LONGEST_PAUSE)
    TrailSource.objects.filter(pk=source.pk).update(
        lease_until=None,
        next_run_at=now + pause,
        ended_at=now,
        failures=F("failures") + 1,
        error=problem.text[:500],
        error_field=problem.field,
    )
    logger.warning("trail_source.failed", source=str(source), error=problem.text)
