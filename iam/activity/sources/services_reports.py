"""Reads from IAM when users and roles last used each service: on demand, and weekly for users of accounts
without a known trail.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from iam.activity.models import TrailEvent
from iam.activity.sources.models import ReportState, ServicesReport
from iam.aws.errors import AwsError
from iam.aws.reads.last_accessed import AccessedService, accessed_services, begin_report
from iam.aws.session import Aws
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.models.accounts import AccountSource
from iam.mirror.pull.reach import UnreachableError, open_account
from iam.nudge import send_after_commit

logger = structlog.get_logger(__name__)
READ_REPORT: Final = "iam.activity.sources.tasks.read_services_report"
LEASE: Final = timedelta(minutes=5)
PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds between checks whether a report is ready, in one run."""
MOST_ATTEMPTS: Final = 10
MOST_AT_ONCE: Final = 30
"""Maximum number of reports to read per minute."""
WEEK: Final = timedelta(days=7)
MOST_WEEKLY: Final = 200
"""Maximum number of users per account to start in an hour."""
PENDING: Final = (ReportState.WAITING, ReportState.READING)


def request_report(entity: Entity, *, requested_by: str) -> ServicesReport:
    """Have a worker read the report of a user or role, unless one is pending."""
    now = timezone.now()
    first = {"account": entity.account, "requested_at": now, "requested_by": requested_by}
    report, is_new = ServicesReport.objects.get_or_create(entity=entity, defaults=first)
    if not is_new:
        again = ServicesReport.objects.filter(pk=report.pk).exclude(state__in=PENDING)
        again.update(
            state=ReportState.WAITING,
            requested_at=now,
            requested_by=requested_by,
            job_id="",
            attempts=0,
            error="",
        )
        report.refresh_from_db()
    send_after_commit(READ_REPORT, report.pk)
    return report


def report_of(entity: Entity) -> ServicesReport | None:
    """Return the report of a user or role, or None if none was requested."""
    return ServicesReport.objects.filter(entity=entity).first()


def due_reports(now: datetime) -> list[UUID]:
    """Return the reports that wait for a worker, in the order of the requests."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = ServicesReport.objects.filter(free, state__in=PENDING).order_by("requested_at")
    return list(rows.values_list("pk", flat=True)[:MOST_AT_ONCE])


def request_weekly(now: datetime) -> int:
    """Request reports for users of accounts without events whose reports are older than a week, and return
    how many.
    """
    events = TrailEvent.objects.filter(account_id=OuterRef("account_id"))
    accounts = Account.objects.filter(~Exists(events), removed_at__isnull=True).exclude(
        source=AccountSource.EXPORT
    )
    count = 0
    for account in accounts:
        users = Entity.objects.filter(account=account, kind=Kind.USER, gone_at__isnull=True)
        old = Q(services_report__isnull=True) | Q(services_report__requested_at__lt=now - WEEK)
        rows = users.filter(old).select_related("account")
        for user in rows.order_by(F("services_report__requested_at").asc(nulls_first=True))[:MOST_WEEKLY]:
            request_report(user, requested_by="")
            count += 1
    return count


def read_report(
    report_id: UUID,
    *,
    open_way: Callable[..., Aws] = open_account,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Read a report if it is due and no other worker has it. If it isn’t ready in this run, the next run
    continues.
    """
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = ServicesReport.objects.filter(free, pk=report_id, state__in=PENDING)
    if not rows.update(lease_until=now + LEASE, attempts=F("attempts") + 1):
        return
    report = ServicesReport.objects.select_related("account", "entity").get(pk=report_id)
    try:
        aws = open_way(report.account)
        try:
            services = _services(report, aws, sleep)
        finally:
            aws.close()
    except UnreachableError as error:
        _end(report, state=ReportState.FAILED, error=str(error))
    except AwsError as error:
        _end(report, state=ReportState.FAILED, error=f"{error.action}: {error.message}"[:500])
    else:
        _store(report, services)


def _services(
    report: ServicesReport, aws: Aws, sleep: Callable[[float], None]
) -> tuple[AccessedService, ...] | None:
    if not report.job_id:
        report.job_id = begin_report(aws, arn=report.entity.arn)
        ServicesReport.objects.filter(pk=report.pk).update(job_id=report.job_id, state=ReportState.READING)
    for pause in PAUSES:
        services = accessed_services(aws, job_id=report.job_id)
        if services is not None:
            return services
        sleep(pause)
    return None


def _store(report: ServicesReport, services: tuple[AccessedService, ...] | None) -> None:
    if services is not None:
        rows = [_row(service) for service in services]
        _end(report, state=ReportState.DONE, read_at=timezone.now(), services=rows, error="")
    elif report.attempts >= MOST_ATTEMPTS:
        _end(report, state=ReportState.FAILED, error="IAM didn’t finish the report.")
    else:
        _end(report, state=ReportState.READING)


def _row(service: AccessedService) -> dict[str, Any]:
    at = service.at.isoformat() if service.at else None
    return {"prefix": service.prefix, "name": service.name, "at": at, "region": service.region}


def _end(report: ServicesReport, **values: Any) -> None:
    ServicesReport.objects.filter(pk=report.pk).update(lease_until=None, **values)
    logger.info("services_report.read", account=report.account.account_id, state=values["state"])
