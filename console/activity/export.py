"""Exports all events that match the filter, limited to what the viewer can see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.activity.events import wanted_events
from console.activity.forms import AccountsActivityForm, ActivityForm
from console.activity.identity import NAMES
from console.identities.details.frame import shown_or_404
from console.identities.details.people import SEES
from console.web.access import ViewerRequest, require
from console.web.list_export import export_list, pages_of
from iam.activity.models import TrailEvent
from iam.activity.queries import callers_of, events_of, events_page, shown_address
from iam.guard import Right
from iam.mirror.models import Kind

COLUMNS: Final = (
    "at",
    "event_id",
    "account_id",
    "region",
    "principal_type",
    "principal",
    "principal_arn",
    "session_name",
    "source_identity",
    "person",
    "access_key",
    "mfa",
    "action",
    "resource",
    "result",
    "error",
    "read_only",
    "source_address",
    "tool",
)
PAGE: Final = 500


@require_safe
@require(Right.SEE_ACCOUNT)
def events_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export the events of the visible accounts. Raises Http404 for viewers without the right to export."""
    wanted = AccountsActivityForm(request)
    page, rows = reverse("activity:events"), wanted_events(request.viewer, wanted)
    if wanted.date_problem:
        # A file has no place for the error.
        return redirect(f"{page}?{request.GET.urlencode()}")
    return _export(request, form, name="activity", page=page, rows=rows)


@require_safe
@require(*SEES)
def person_export(request: ViewerRequest, pk: int, form: str) -> HttpResponseBase:
    """Export the events of an IAM user. Raises Http404 for viewers without the right to export."""
    return _of_entity(request, pk, form, kind=Kind.USER)


@require_safe
@require(Right.SEE_ACCOUNT)
def role_export(request: ViewerRequest, pk: int, form: str) -> HttpResponseBase:
    """Export the events of a role. Raises Http404 for viewers without the right to export."""
    return _of_entity(request, pk, form, kind=Kind.ROLE)


def _of_entity(request: ViewerRequest, pk: int, form: str, *, kind: Kind) -> HttpResponseBase:
    shown = shown_or_404(request, pk, kinds=[kind])
    wanted = ActivityForm(request, at=shown.at)
    rows = events_of(callers_of(shown.entity), wanted.event_filter)
    page = reverse(NAMES[shown.entity.kind], args=[pk])
    return _export(request, form, name=f"activity-{shown.entity.name}", page=page, rows=rows)


def _export(
    request: ViewerRequest, form: str, *, name: str, page: str, rows: QuerySet[TrailEvent]
) -> HttpResponseBase:
    return export_list(
        request,
        form,
        name=name,
        columns=COLUMNS,
        filters=request.GET.dict(),
        page=page,
        rows=_rows(rows),
    )


def _rows(events: QuerySet[TrailEvent]) -> Iterator[tuple[Any, ...]]:
    for page in pages_of(lambda after: events_page(events, after=after, size=PAGE)):
        for event in page:
            yield _row(event)


def _row(event: TrailEvent) -> tuple[Any, ...]:
    failed = "failed" if event.error_code else "succeeded"
    return (
        event.at,
        str(event.event_id),
        event.account_id,
        event.region,
        event.caller.kind,
        event.caller.name,
        event.caller.arn,
        event.session_name,
        event.source_identity,
        event.person,
        event.access_key,
        event.mfa,
        f"{event.service}:{event.action}",
        event.resource,
        "denied" if event.is_denied else failed,
        event.error_code,
        event.is_read_only,
        shown_address(event),
        event.tool,
    )
