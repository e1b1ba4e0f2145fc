"""IAM's report of when a user or role last used each service, loaded on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from console.identities.details.frame import ShownEntity, shown_or_404
from console.web.access import ViewerRequest, require, require_present
from iam.activity.sources.models import ServicesReport
from iam.activity.sources.services_reports import report_of, request_report
from iam.guard import Right
from iam.mirror.models import Kind

PAGES: Final = {Kind.USER.value: "activity:person", Kind.ROLE.value: "activity:role"}


@dataclass(frozen=True, slots=True)
class AccessedServiceLine:
    """A service that the principal's policies allow; `at` is None if it was not used."""

    prefix: str
    name: str
    at: datetime | None


def services_context(shown: ShownEntity) -> dict[str, Any]:
    """Return the report, and whether the viewer can request a new one. Takes one query."""
    if shown.at is not None or shown.entity.kind not in PAGES:
        return {}
    report = report_of(shown.entity)
    lines = _lines(report) if report else []
    used = [line for line in lines if line.at]
    return {
        "services_report": report,
        "services_by_iam": sorted(used, key=lambda line: line.at or datetime.min, reverse=True),
        "unused_by_iam": [line for line in lines if not line.at],
        "may_read_services": _may_read(shown),
        "shows_services": report is not None or _may_read(shown),
    }


def _lines(report: ServicesReport) -> list[AccessedServiceLine]:
    lines = []
    for row in report.services:
        at = parse_datetime(row["at"]) if row["at"] else None
        lines.append(AccessedServiceLine(row["prefix"], row["name"], at))
    return lines


def _may_read(shown: ShownEntity) -> bool:
    """Return whether the viewer sees the whole account and can request changes in it."""
    viewer = shown.viewer
    may_request = viewer.may(Right.REQUEST_CHANGE, account_id=shown.account_id)
    return shown.state is not None and may_request and viewer.asks.sees_account(shown.account_id)


@require(Right.REQUEST_CHANGE)
@require_POST
def read_services(request: ViewerRequest, pk: int) -> HttpResponse:
    """Let a worker load the report from IAM."""
    require_present(request)
    shown = shown_or_404(request, pk, kinds=list(PAGES))
    if not _may_read(shown):
        raise Http404
    request_report(shown.entity, requested_by=request.viewer.name)
    messages.success(request, "Requested. IAM takes up to a minute to make the report.")
    return redirect(PAGES[shown.entity.kind], pk)
