"""Draws a random sample of the changes in a period, the same as in a pack, as a page and as CSV."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from console.evidence.pack_form import SampleForm
from console.web.access import ViewerRequest, require_evidence, require_present
from console.web.files import csv_lines, download
from console.web.render import render_page
from iam.audit.evidence.change_facts import rows_of
from iam.audit.evidence.change_sample import new_seed, sample_table
from iam.audit.evidence.packs import DrawnSample, PackRefusedError, draw_sample, may_sample
from iam.audit.evidence.tables import csv_cells

SHOWN: Final = 50


@require_evidence
@require_safe
def sample_page(request: ViewerRequest) -> HttpResponse:
    """Show the form, and the sample if the address has values for it."""
    is_sent = any(name in request.GET for name in SampleForm.base_fields)
    values = request.GET if is_sent else None
    form, drawn = _drawn(request, values)
    context: dict[str, Any] = {"form": form, "drawn": drawn, "section": "evidence"}
    if drawn is not None:
        chosen = request.GET.copy()
        chosen["seed"] = drawn.sample.seed
        rows = list(rows_of(drawn.sample.ids[:SHOWN], drawn.changes))
        context |= {"rows": rows, "is_cut": len(drawn.sample.ids) > SHOWN, "query": chosen.urlencode()}
    status = 422 if form.errors else 200
    return render_page(request, "evidence/sample.html", context, status=status)


@require_evidence
@require_safe
def sample_file(request: ViewerRequest) -> HttpResponseBase:
    """Download the sample as CSV, as in a pack; show the form if the address is incomplete."""
    form, drawn = _drawn(request, request.GET)
    if drawn is None:
        context = {"form": form, "drawn": None, "section": "evidence"}
        return render_page(request, "evidence/sample.html", context, status=422)
    table = sample_table(drawn.changes, drawn.sample)
    rows = (csv_cells(table, row) for row in table.rows())
    return download(csv_lines(table.keys, rows), form="csv", name=f"sample-{drawn.sample.seed}")


def _drawn(request: ViewerRequest, values: QueryDict | None) -> tuple[SampleForm, DrawnSample | None]:
    """Return the form and its sample; the sample is None if the form wasn’t sent or has errors."""
    require_present(request)
    if not may_sample(request.viewer):
        raise Http404
    now = datetime.now(tz=UTC)
    form = SampleForm(values, viewer=request.viewer, now=now, seed=new_seed())
    if values is None or not form.is_valid():
        return form, None
    try:
        return form, draw_sample(form.order(), actor=request.viewer, now=now)
    except PackRefusedError as error:
        form.refuse(error)
        return form, None
