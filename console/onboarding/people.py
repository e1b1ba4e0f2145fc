"""Say who is onboarded: a few rows in a form, or a file. This page alone takes it; a file that is too large is refused by its announced size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from console.onboarding.blueprints import blueprint_or_404, version_or_404
from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.guard import Right
from iam.people.blueprints.queries import may_run, said_in_full
from iam.people.onboarding.reading import LARGEST, SheetError, Typed, read_sheet, typed
from iam.people.onboarding.staging import stage

ENVELOPE: Final = 64 * 1024
"""What a form adds around its file."""
ROWS: Final = 5
MOST_ROWS: Final = 20
FIELDS: Final = ("name", "email", "user_name", "until")
TOO_LARGE: Final = f"The file has more than {LARGEST // 1024 // 1024} MB: some 10,000 people take one."


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the form."""

    number: int
    name: str = ""
    email: str = ""
    user_name: str = ""
    until: str = ""


@csrf_exempt
def people_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Refuse by the announced size, before a byte of the body is read; everything else, the token too, is checked behind."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if request.method == "POST" and int(announced if announced.isdecimal() else 0) > LARGEST + ENVELOPE:
        return _refuse(request, pk)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _people(request, pk)


@require(Right.REQUEST_CHANGE)
def _refuse(request: ViewerRequest, pk: UUID) -> HttpResponse:
    response = _page(request, pk, rows=_blank(), refused=SheetError(TOO_LARGE), status=413)
    # The rest of the body is not read, so nothing can follow it on this connection.
    response["Connection"] = "close"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.REQUEST_CHANGE)
@csrf_protect
def _people(request: ViewerRequest, pk: UUID) -> HttpResponse:
    if request.method != "POST":
        return _page(request, pk, rows=_blank())
    rows = _posted(request)
    if request.POST.get("do") == "more":
        return _page(request, pk, rows=[*rows, *(Row(len(rows) + one) for one in range(ROWS))][:MOST_ROWS])
    blueprint = blueprint_or_404(request, pk)
    file = request.FILES.get("file")
    try:
        found = read_sheet(file.read(LARGEST + 1)) if file else _typed(rows)
        run = stage(
            request.viewer,
            version=version_or_404(blueprint),
            rows=found,
            source=(file.name or "a file") if file else "",
        )
    except (SheetError, RefusedError) as error:
        return _page(request, pk, rows=rows or _blank(), refused=error, status=422)
    return redirect("onboarding:run", pk=run.pk)


def _blank() -> list[Row]:
    return [Row(number) for number in range(ROWS)]


def _posted(request: ViewerRequest) -> list[Row]:
    count = request.POST.get("rows", "0")
    number = min(int(count) if count.isdecimal() and len(count) < 3 else 0, MOST_ROWS)
    return [
        Row(at, *(request.POST.get(f"r{at}-{name}", "").strip()[:256] for name in FIELDS))
        for at in range(number)
    ]


def _typed(rows: list[Row]) -> list[Typed]:
    given = [row for row in rows if row.name or row.email or row.user_name]
    if not given:
        raise SheetError("Write who begins, or choose a file.")
    return [typed(row.number + 1, {name: getattr(row, name) for name in FIELDS}) for row in given]


def _page(
    request: ViewerRequest,
    pk: UUID,
    *,
    rows: list[Row],
    refused: SheetError | RefusedError | None = None,
    status: int = 200,
) -> HttpResponse:
    blueprint = blueprint_or_404(request, pk)
    if not may_run(request.viewer, blueprint.team) or blueprint.retired_at is not None:
        raise Http404
    version = version_or_404(blueprint)
    context: dict[str, Any] = {
        "section": "onboarding",
        "blueprint": blueprint,
        "version": version,
        "said": said_in_full(version.body),
        "stay": version.body.stay,
        "rows": rows,
        "may_add": len(rows) < MOST_ROWS,
        "refused": str(refused) if refused else "",
        "megabytes": LARGEST // 1024 // 1024,
    }
    return render_page(request, "onboarding/people.html", context, status=status)
