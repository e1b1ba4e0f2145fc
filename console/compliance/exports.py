"""Exports the requirements of a framework as CSV, JSON and PDF."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.compliance.framework_page import rows_in
from console.compliance.presenters import (
    RequirementRow,
    framework_in,
    results_in,
    scope_in,
    to_end_of_audit,
)
from console.web.access import ViewerRequest, require_evidence
from console.web.address_choices import to_page_with_problems
from console.web.list_export import export_list
from iam.audit.frameworks.definitions import ControlFramework
from iam.audit.frameworks.framework_document import DocumentRow, write_document
from iam.audit.frameworks.models import ComplianceScope
from iam.audit.frameworks.queries import ShownResults
from iam.audit.frameworks.terms import STATE_LABELS
from iam.guard import Right
from iam.journal.services import record

COLUMNS: Final = (
    "requirement",
    "title",
    "state",
    "reason",
    "automatic",
    "as_of",
    "accounts",
    "attestation",
    "exception",
    "findings",
    "aws",
)
NESTED: Final = ("accounts", "attestation", "exception", "findings", "aws")


@require_evidence
@require_safe
def export(request: ViewerRequest, name: str, form: str) -> HttpResponseBase:
    """Export the requirements that match the page's filters."""
    way = to_end_of_audit(request)
    if way is not None:
        return way
    framework, scope = framework_in(request, name), scope_in(request)
    if not request.viewer.may(Right.EXPORT):
        raise Http404
    shown = results_in(request, framework, scope)
    if shown.results is None:
        raise Http404
    rows = rows_in(request, framework, scope, shown)
    as_of = request.at or shown.updated_at or datetime.now(tz=UTC)
    page = reverse("compliance:framework", args=[framework.name])
    if form == "pdf":
        if way := to_page_with_problems(request, page):
            return way
        return _pdf(request, framework, scope, shown, rows, as_of)
    filters = {key: request.GET.get(key, "") for key in ("scope", "tab", "q", "since", "as-of")}
    values = _values(rows, shown.results, form, as_of)
    return export_list(
        request, form, name=framework.name, columns=COLUMNS, filters=filters, page=page, rows=values
    )


def _values(
    rows: list[RequirementRow], results: Mapping[str, Any], form: str, as_of: datetime
) -> Iterator[Sequence[Any]]:
    """Yield the rows; in CSV, lists and decisions are JSON text."""
    for row in rows:
        result = results[row.requirement.number]
        values: dict[str, Any] = {
            "requirement": row.requirement.number,
            "title": row.requirement.title,
            "state": row.state,
            "reason": row.reason,
            "automatic": result["verdict"],
            "as_of": as_of,
            "accounts": result["accounts"],
            "attestation": result["attestation"],
            "exception": result["exception"],
            "findings": result["findings"],
            "aws": [{"control": each.control, "words": each.words} for each in row.requirement.aws],
        }
        if form == "csv":
            values |= {name: json.dumps(values[name], ensure_ascii=False) for name in NESTED}
        yield [values[name] for name in COLUMNS]


def _pdf(
    request: ViewerRequest,
    framework: ControlFramework,
    scope: ComplianceScope | None,
    shown: ShownResults,
    rows: list[RequirementRow],
    as_of: datetime,
) -> HttpResponse:
    record(
        kind="list.export",
        actor=request.viewer,
        subject=framework.name,
        data={"form": "pdf", "query": request.GET.urlencode()},
    )
    target = BytesIO()
    scope_name = scope.name if scope else "All accounts"
    counts = [(label, str(shown.counts[state])) for state, label in STATE_LABELS.items()]
    lines = [DocumentRow(row.requirement, row.label, row.reason) for row in rows]
    write_document(target, framework, scope_name=scope_name, as_of=as_of, counts=counts, rows=lines)
    name = f"gatehouse-{framework.name}-{as_of:%Y-%m-%dT%H%M%SZ}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(target.getvalue(), content_type="application/pdf", headers=headers)
