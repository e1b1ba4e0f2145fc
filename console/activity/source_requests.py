"""Requests to add, change or remove a CloudTrail source, and the decision about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from console.web.access import ViewerRequest, found_or_404, require
from console.web.audit_decisions import decision_in, say_decided
from console.web.moments import day_text
from console.web.render import render_page
from iam.activity.sources.models import SourceKind
from iam.audit.approval_requests.requests import RequestState
from iam.audit.source_requests import requests
from iam.audit.source_requests.models import SourceAct, SourceRequest
from iam.guard import Right
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models import Account

LABELS: Final[Mapping[str, str]] = {
    "kind": "Read from",
    "account": "Account whose role reads",
    "bucket": "S3 bucket",
    "prefix": "Prefix",
    "region": "Region of the bucket",
    "queue_url": "SQS queue",
    "since": "Read from this day on",
}
TONES: Final[Mapping[str, str]] = {
    RequestState.REQUESTED: "note",
    RequestState.APPROVED: "ok",
    RequestState.DECLINED: "",
}
TITLES: Final[Mapping[str, str]] = {
    SourceAct.ADD: "Add CloudTrail source",
    SourceAct.CHANGE: "Change CloudTrail source",
    SourceAct.REMOVE: "Remove CloudTrail source",
}
NOTHING: Final = "None"


@require_safe
@require(Right.SEE_ACCOUNT)
def request_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the request, its reason and requester."""
    row, viewer = _request_or_404(request, pk), request.viewer
    is_waiting = row.state == RequestState.REQUESTED
    source = row.source
    is_listed = source is not None and source.removed_at is None
    context = {
        "row": row,
        "title": TITLES[row.act],
        "tone": TONES[row.state],
        "lines": list(_lines(row)),
        "is_waiting": is_waiting,
        "may_decide": is_waiting and requests.may_decide(viewer, row, is_single=settings.SINGLE_OPERATOR),
        "is_own_request": is_waiting and row.requested_by == viewer.person_id,
        "source": source if is_listed and requests.may_request(viewer) else None,
        "section": "trail-sources",
    }
    return render_page(request, "activity/source_request.html", context)


@require_POST
@require(Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
def decide(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Approve or decline the request."""
    row = _request_or_404(request, pk)
    try:
        requests.decide(row, **decision_in(request))
    except SetupError as error:
        messages.error(request, error.message)
        return redirect("activity:source-request", pk=pk)
    say_decided(request)
    return redirect("activity:source-request", pk=pk)


def _request_or_404(request: ViewerRequest, pk: UUID) -> SourceRequest:
    """Return the request. Raises Http404 unless the viewer sees every account, since a source can hold events
    of any.
    """
    if not request.viewer.scope.sees_everything or not request.viewer.sees_accounts:
        raise Http404
    return found_or_404(SourceRequest.objects.select_related("source").filter(pk=pk).first())


def _lines(row: SourceRequest) -> Iterator[tuple[str, str, str]]:
    """Yield (field, before, after); for a change only the fields that differ."""
    for name, label in LABELS.items():
        before, after = _words(name, row.before), _words(name, row.terms)
        if row.act != SourceAct.CHANGE or before != after:
            yield label, before, after


def _words(name: str, terms: Mapping[str, str]) -> str:
    """Return a field's value as text."""
    value = terms.get(name, "")
    if name == "kind" and value:
        return str(SourceKind(value).label)
    if name == "account" and value:
        names = Account.objects.filter(account_id=value).values_list("name", flat=True)
        return f"{next(iter(names), value)} ({value})"
    if name == "since" and value:
        return day_text(date.fromisoformat(value))
    return value or NOTHING
