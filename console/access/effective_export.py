"""Exports all that a person or role can do: a row per action with its resources, conditions and policies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.access.effective import NAMES, access_or_404
from console.access.effective_rows import lines
from console.identities.details.frame import ShownEntity, shown_or_404
from console.identities.details.people import SEES
from console.web.access import ViewerRequest, require
from console.web.address_choices import to_page_with_problems
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from iam.guard import Right
from iam.journal.services import record
from iam.mirror.models import Kind

COLUMNS: Final = (
    "service",
    "service_name",
    "action",
    "access_level",
    "allowed",
    "resources",
    "except",
    "conditions",
    "policies",
)


@require_safe
@require(*SEES)
def person_export(request: ViewerRequest, pk: int, form: str) -> HttpResponseBase:
    """Export what a person can do."""
    return _file(request, shown_or_404(request, pk, kinds=[Kind.USER]), form)


@require_safe
@require(Right.SEE_ACCOUNT)
def role_export(request: ViewerRequest, pk: int, form: str) -> HttpResponseBase:
    """Export what a role can do."""
    return _file(request, shown_or_404(request, pk, kinds=[Kind.ROLE]), form)


def _file(request: ViewerRequest, shown: ShownEntity, form: str) -> HttpResponseBase:
    """Record the export and return the file. Raises Http404 for viewers without the right to export."""
    may_export = shown.viewer.may(Right.EXPORT, account_id=shown.account_id)
    if form not in FORMS or not may_export or shown.state is None:
        raise Http404
    if way := to_page_with_problems(request, reverse(NAMES[shown.entity.kind], args=[shown.entity.pk])):
        return way
    access, now = access_or_404(shown), datetime.now(tz=UTC)
    record(
        kind="effective_access.export",
        actor=request.viewer,
        subject=shown.entity.arn,
        account_id=shown.account_id,
        data={"form": form, "as_of": shown.at},
    )
    name = f"gatehouse-access-{shown.account_id}-{shown.entity.name}-{shown.at or now:%Y-%m-%dT%H%M%SZ}"
    about = {
        "principal": shown.entity.arn,
        "as_of": json_value(shown.at),
        "exported_at": json_value(now),
        "undecidable": [f"{policy}: {problem}" for _, policy, problem in access.basis.unread],
    }
    rows = lines(access, access.services)
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    return download(parts, form=form, name=name)
