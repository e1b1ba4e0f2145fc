"""Enter the people to onboard: rows of a form, a pasted table, or a file.

This is the only page here that accepts a file; one that is too large is refused by its announced size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from console.onboarding.blueprints import blueprint_or_404, version_or_404
from console.onboarding.lists import SEES
from console.web.access import ViewerRequest, require
from console.web.render import render_page
from console.web.uploads import closing, is_too_large
from iam.changes.errors import RefusedError
from iam.guard import Right
from iam.people.blueprints.queries import may_run, said_in_full
from iam.people.onboarding.models import OnboardingRun
from iam.people.onboarding.pasted_rows import (
    NewcomerRow,
    read_pasted,
    read_sheet,
    typed,
    unused_columns,
)
from iam.people.onboarding.queries import run_for
from iam.people.onboarding.row_checks import stage, typed_values
from iam.people.onboarding.services import MAX_PEOPLE
from iam.people.runs.models import RunState
from iam.people.sheet_lines import MAX_BYTES, SheetError
from iam.phrases import joined

ROWS: Final = 5
MAX_ROWS: Final = 20
FIELDS: Final = ("name", "email", "user_name", "until")
TOO_LARGE: Final = (
    f"The file is larger than {MAX_BYTES // 1024 // 1024} MB, which holds some 10,000 people. Split it into "
    "smaller files."
)
NAMED_COLUMNS: Final = 3
UNUSED: Final = (
    "Gatehouse uses the columns Name (or First name and Last name), Email, User name and Last day. "
    "It doesn’t use"
)
SAMPLE: Final = (
    "Name,Email,User name,Last day\r\n"
    "Maya Okafor,maya.okafor@example.com,,\r\n"
    "Seán O'Brien,sean.obrien@example.com,sobrien,\r\n"
    "Anna van der Berg,anna.vanderberg@example.com,,2027-06-30\r\n"
)


@dataclass(frozen=True, slots=True)
class PersonFormRow:
    """A row of the form."""

    number: int
    name: str = ""
    email: str = ""
    user_name: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class PeopleInput:
    """The current input; `draft` is the draft that it replaces, None for a new one."""

    rows: tuple[PersonFormRow, ...]
    pasted: str = ""
    draft: OnboardingRun | None = None


@csrf_exempt
def people_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Refuse a body that is announced as too large before reading it; everything else, including the CSRF
    token, is checked later.
    """
    if is_too_large(request, limit=MAX_BYTES):
        return _refuse(request, pk)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _people(request, pk)


@require_safe
@require(*SEES)
def sample_file(request: ViewerRequest) -> HttpResponse:
    """Download a sample file with all columns."""
    response = HttpResponse(SAMPLE.encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="people-to-onboard.csv"'
    return response


@require(Right.REQUEST_CHANGE)
def _refuse(request: ViewerRequest, pk: UUID) -> HttpResponse:
    return closing(_page(request, pk, PeopleInput(_blank()), errors={"file": TOO_LARGE}, status=413))


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.REQUEST_CHANGE)
@csrf_protect
def _people(request: ViewerRequest, pk: UUID) -> HttpResponse:
    draft = _draft(request, request.GET.get("draft") or request.POST.get("draft", ""))
    if request.method != "POST":
        kept = _of_draft(draft) if draft is not None else PeopleInput(_blank())
        return _page(request, pk, kept)
    written = PeopleInput(_posted(request), request.POST.get("pasted", ""), draft)
    if request.POST.get("do") == "more":
        more = [PersonFormRow(len(written.rows) + number) for number in range(ROWS)]
        rows = tuple([*written.rows, *more][:MAX_ROWS])
        return _page(request, pk, PeopleInput(rows, written.pasted, draft))
    blueprint = blueprint_or_404(request, pk)
    errors: dict[str, str] = {}
    people, source, unused = _people_of(request, written, errors)
    if not errors:
        try:
            run = stage(
                request.viewer, version=version_or_404(blueprint), rows=people, source=source, run=draft
            )
        except RefusedError as error:
            errors["form"] = error.message
        else:
            if unused:
                messages.warning(request, unused)
            return redirect("onboarding:run", pk=run.pk)
    return _page(request, pk, written, errors=errors, status=422)


def _people_of(
    request: ViewerRequest, written: PeopleInput, errors: dict[str, str]
) -> tuple[list[NewcomerRow], str, str]:
    """Return all people in the file, the pasted table and the rows, where they come from, and a sentence on
    columns that are not used.

    Input that can’t be read is added to `errors` by field.
    """
    people: list[NewcomerRow] = []
    unused: list[str] = []
    file = request.FILES.get("file")
    try:
        if file:
            data = file.read(MAX_BYTES + 1)
            people += read_sheet(data)
            unused += unused_columns(data)
    except SheetError as error:
        errors["file"] = str(error)
    try:
        if written.pasted.strip():
            people += read_pasted(written.pasted)
            unused += unused_columns(written.pasted.encode())
    except SheetError as error:
        errors["pasted"] = str(error)
    rows = [row for row in written.rows if row.name or row.email or row.user_name]
    people += [typed(row.number + 1, {name: getattr(row, name) for name in FIELDS}) for row in rows]
    if not people and not errors:
        errors["form"] = "Add at least one person: fill in a row, paste a table or choose a file."
    source = (file.name or "a file") if file else ""
    if not unused:
        return people, source, ""
    columns = _quoted(unused)
    return people, f"{source or 'a pasted table'}, without {columns}", f"{UNUSED} {columns}."


def _quoted(columns: list[str]) -> str:
    """Return “the column “Manager”” or “the columns “Manager”, “Office” and 3 more”."""
    names = [f"“{name}”" for name in columns[:NAMED_COLUMNS]]
    if len(columns) > NAMED_COLUMNS:
        names.append(f"{len(columns) - NAMED_COLUMNS:,} more")
    noun = "column" if len(columns) == 1 else "columns"
    return f"the {noun} {joined(names)}"


def _draft(request: ViewerRequest, key: str) -> OnboardingRun | None:
    """Return the viewer's draft to which they returned."""
    try:
        run = run_for(request.viewer, UUID(key))
    except ValueError:
        return None
    is_theirs = (
        run is not None and run.state == RunState.DRAFT and run.requested_by == request.viewer.person_id
    )
    return run if is_theirs else None


def _of_draft(run: OnboardingRun) -> PeopleInput:
    """Return the input of a draft: as rows, or as a table if it is longer."""
    people = [typed_values(newcomer) for newcomer in run.people.all()]
    if len(people) <= MAX_ROWS:
        rows = [PersonFormRow(number, **fields) for number, fields in enumerate(people)]
        rows += [PersonFormRow(number) for number in range(len(rows), ROWS)]
        return PeopleInput(tuple(rows), draft=run)
    lines = ["Name\tEmail\tUser name\tLast day"]
    for fields in people:
        cells = [fields[name] for name in FIELDS]
        lines.append("\t".join(cells))
    return PeopleInput(_blank(), "\n".join(lines), run)


def _blank() -> tuple[PersonFormRow, ...]:
    return tuple(PersonFormRow(number) for number in range(ROWS))


def _posted(request: ViewerRequest) -> tuple[PersonFormRow, ...]:
    count = request.POST.get("rows", "0")
    row_count = int(count) if count.isdecimal() and len(count) < 3 else 0
    number = min(row_count, MAX_ROWS)
    rows = [
        PersonFormRow(at, *(request.POST.get(f"r{at}-{name}", "").strip()[:256] for name in FIELDS))
        for at in range(number)
    ]
    return tuple(rows) or _blank()


def _page(
    request: ViewerRequest,
    pk: UUID,
    written: PeopleInput,
    *,
    errors: dict[str, str] | None = None,
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
        "written": written,
        "rows": written.rows,
        "may_add": len(written.rows) < MAX_ROWS,
        "errors": errors or {},
        "most_people": MAX_PEOPLE,
        "megabytes": MAX_BYTES // 1024 // 1024,
    }
    return render_page(request, "onboarding/people.html", context, status=status)
