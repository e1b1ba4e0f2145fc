"""Uploads an export: refused early if too large, stored privately, and loaded by a worker while the page
polls.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from console.setup.forms import UploadForm, megabytes, too_large
from console.setup.pages import setup_page
from console.setup.progress import step_of
from console.web.access import ViewerRequest, require
from console.web.form_fields import add_service_error
from console.web.moments import moment_text
from console.web.uploads import closing, is_too_large
from iam.guard import Right
from iam.mirror.accounts.jobs import DISK_FULL, UploadedFile, request_import
from iam.mirror.accounts.uploads import is_disk_full, limit_bytes
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models.setup import JobState, SetupKind
from iam.mirror.queries.setup import visible_job


@csrf_exempt
def upload(request: HttpRequest) -> HttpResponse:
    """Refuse a body that is announced as too large before reading it; everything else, including the CSRF
    token, is checked later.

    Only this page and other upload pages accept files (console.web.uploads). Django's own CSRF check would
    read the whole body first.
    """
    if is_too_large(request, limit=limit_bytes()):
        return _refuse(request, too_large(), status=413)
    return kept_in_file(request, _upload) or _refuse(request, DISK_FULL, status=507)


def kept_in_file(request: HttpRequest, upload: Callable[[HttpRequest], HttpResponse]) -> HttpResponse | None:
    """Store the body in a temporary file while it arrives, then call `upload`; return None if the disk is
    full.
    """
    handler = TemporaryFileUploadHandler(request)
    request.upload_handlers = [handler]
    try:
        return upload(request)
    except OSError as error:
        if not is_disk_full(error):
            raise
        handler.upload_interrupted()
        return None


@require(Right.MANAGE_ACCOUNTS)
def _refuse(request: ViewerRequest, why: str, *, status: int) -> HttpResponse:
    form = UploadForm({}, {})
    form.errors.clear()
    form.add_error("export", why)
    return closing(setup_page(request, "upload.html", _form_context(form), status=status))


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.MANAGE_ACCOUNTS)
@csrf_protect
def _upload(request: ViewerRequest) -> HttpResponse:
    if request.method != "POST":
        return setup_page(request, "upload.html", _form_context(UploadForm()))
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            return _keep(request, form)
        except SetupError as error:
            add_service_error(form, error)
    return setup_page(request, "upload.html", _form_context(form), status=422)


def _form_context(form: UploadForm) -> dict[str, Any]:
    return {"way": "upload", "form": form, "limit": megabytes()}


def _keep(request: ViewerRequest, form: UploadForm) -> HttpResponse:
    export, report = form.cleaned_data["export"], form.cleaned_data["report"]
    report_upload = UploadedFile(report.name or "report", report.chunks()) if report else None
    job = request_import(
        UploadedFile(export.name or "export", export.chunks()),
        report=report_upload,
        name=form.cleaned_data["name"],
        observed_at=form.cleaned_data["observed_at"],
        accept_loss=form.cleaned_data["accept_loss"],
        actor=request.viewer,
    )
    return redirect("setup:import", job=job.pk)


@require_safe
@require(Right.MANAGE_ACCOUNTS)
def import_progress(request: ViewerRequest, job: UUID) -> HttpResponse:
    """Show the worker's progress and the result of an upload; status 286 ends the polling."""
    setup_job = visible_job(request.viewer, job)
    if setup_job is None or setup_job.kind != SetupKind.IMPORT:
        raise Http404
    context = {
        "job": setup_job,
        "step": step_of(request),
        "held": setup_job.result.get("held", ""),
        "is_done": setup_job.state == JobState.DONE,
        "made": _moment(setup_job.result.get("observed_at", "")),
        "counts": _counted(setup_job.result.get("counts", {})),
    }
    status = 286 if setup_job.is_final and request.GET.get("n") else 200
    return setup_page(request, "import.html", context, partial="body", status=status)


def _moment(text: str) -> str:
    return moment_text(datetime.fromisoformat(text)) if text else ""


_KINDS = {
    "user": ("user", "users"),
    "group": ("group", "groups"),
    "role": ("role", "roles"),
    "policy": ("managed policy", "managed policies"),
}


def _counted(counts: dict[str, int]) -> list[str]:
    return [
        f"{counts.get(kind, 0):,} {singular if counts.get(kind, 0) == 1 else many}"
        for kind, (singular, many) in _KINDS.items()
    ]
