"""Uploads trail files: refused early if too large, stored privately, and read by a worker while the page
polls.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from console.setup.progress import step_of
from console.setup.upload import kept_in_file
from console.web.access import ViewerRequest, require_everywhere
from console.web.render import render_page
from console.web.uploads import closing, is_too_large
from iam.activity.sources.models import TrailUpload
from iam.activity.sources.uploads import MAX_FILES, UploadedTrailFile, keep_upload
from iam.guard import Right
from iam.mirror.accounts.jobs import DISK_FULL
from iam.mirror.accounts.uploads import limit_bytes
from iam.mirror.accounts.validation import SetupError


@csrf_exempt
def upload(request: HttpRequest) -> HttpResponse:
    """Refuse a body that is announced as too large before reading it; everything else, including the CSRF
    token, is checked later.
    """
    if is_too_large(request, limit=limit_bytes()):
        error = f"The files together are larger than {settings.UPLOAD_MEGABYTES} MB."
        return closing(_form(request, error, 413))
    return kept_in_file(request, _upload) or _form(request, DISK_FULL, 507)


@require_everywhere(Right.MANAGE_ACCOUNTS)
def _form(request: ViewerRequest, error: str, status: int) -> HttpResponse:
    context = {
        "section": "trail-sources",
        "error": error,
        "limit": settings.UPLOAD_MEGABYTES,
        "most": MAX_FILES,
    }
    return render_page(request, "activity/upload.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@require_everywhere(Right.MANAGE_ACCOUNTS)
@csrf_protect
def _upload(request: ViewerRequest) -> HttpResponse:
    if request.method != "POST":
        return _form(request, "", 200)
    sent = request.FILES.getlist("files")
    files = [UploadedTrailFile(file.name or "file", file.size or 0, file.chunks()) for file in sent]
    try:
        kept = keep_upload(files, actor=request.viewer)
    except SetupError as error:
        return _form(request, error.message, 422)
    return redirect("activity:uploaded", pk=kept.pk)


@require_safe
@require_everywhere(Right.MANAGE_ACCOUNTS)
def uploaded(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the worker's progress and the result of an upload; status 286 ends the polling."""
    row = TrailUpload.objects.filter(pk=pk).first()
    if row is None:
        raise Http404
    context = {"section": "trail-sources", "upload": row, "step": step_of(request)}
    status = 286 if row.is_final and request.GET.get("n") else 200
    return render_page(request, "activity/uploaded.html", context, partial="progress", status=status)
