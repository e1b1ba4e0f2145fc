"""Starts offboardings from a file or a typed list; each row is checked first. A large body is refused by its
announced size.
"""

from __future__ import annotations

from typing import Final

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from console.web.access import ViewerRequest, require, require_present
from console.web.render import render_page
from console.web.uploads import closing, is_too_large
from iam.changes.errors import RefusedError
from iam.guard import Right
from iam.linking.pasted_people import repeated_in, split_list
from iam.people.offboarding.pasted_rows import LeaverRow, read_leavers, typed
from iam.people.offboarding.row_checks import stage
from iam.people.sheet_lines import MAX_BYTES, SheetError

MAX_TYPED: Final = 200
MAX_LENGTH: Final = 20_000
TOO_LARGE: Final = f"The file is larger than {MAX_BYTES // 1024 // 1024} MB."


@csrf_exempt
def file_page(request: HttpRequest) -> HttpResponse:
    """Refuse a body that is announced as too large before reading it; everything else, including the CSRF
    token, is checked later.
    """
    if is_too_large(request, limit=MAX_BYTES):
        return _refuse(request)
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _file(request)


@require(Right.REQUEST_CHANGE)
def _refuse(request: ViewerRequest) -> HttpResponse:
    return closing(_page(request, refused=TOO_LARGE, status=413))


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.REQUEST_CHANGE)
@csrf_protect
def _file(request: ViewerRequest) -> HttpResponse:
    require_present(request)
    if request.method != "POST":
        return _page(request)
    file = request.FILES.get("file")
    text = request.POST.get("people", "")
    try:
        rows = read_leavers(file.read(MAX_BYTES + 1)) if file else _typed(text)
        source = (file.name or "a file") if file else _list_words(text)
        run = stage(request.viewer, rows=rows, source=source)
    except (SheetError, RefusedError) as error:
        return _page(
            request,
            refused=str(error),
            text=text,
            of_file=bool(file) or "people" not in request.POST,
            status=422,
        )
    return redirect("offboarding:run", pk=run.pk)


def _list_words(text: str) -> str:
    """Return where the rows come from, and how many lines were left out."""
    repeated = repeated_in(text)
    lines = "1 repeated name" if repeated == 1 else f"{repeated:,} repeated names"
    return f"a list, without {lines}" if repeated else "a list"


def _typed(text: str) -> list[LeaverRow]:
    if len(text) > MAX_LENGTH:
        raise SheetError(
            f"The list has {len(text):,} characters. The limit here is {MAX_LENGTH:,}. Use a file for more."
        )
    rows = [typed(number, name) for number, name in enumerate(split_list(text), start=1)]
    if not rows:
        raise SheetError("Enter at least one person, or choose a file.")
    if len(rows) > MAX_TYPED:
        raise SheetError(
            f"The list has {len(rows)} names. The limit here is {MAX_TYPED}. Use a file for more."
        )
    return rows


def _page(
    request: ViewerRequest, *, refused: str = "", text: str = "", of_file: bool = True, status: int = 200
) -> HttpResponse:
    """Render both forms; `of_file` says which of them has the error."""
    context = {
        "section": "leaving",
        "file_error": refused if of_file else "",
        "list_error": "" if of_file else refused,
        "text": text,
        "list_hint": "Full names, email addresses, user names or ARNs, one per line or separated by commas.",
        "file_hint": "From Excel, Numbers or an HR system, separated by commas, semicolons or tabs, up to "
        f"{MAX_BYTES // 1024 // 1024} MB. "
        "The first line names the columns. One of them is Email or User name.",
    }
    return render_page(request, "offboarding/file.html", context, status=status)
