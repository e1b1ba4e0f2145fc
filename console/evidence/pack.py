"""Views to request an evidence pack, follow its progress, download and delete it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.evidence.pack_form import PackForm
from console.evidence.pack_list import tone_of
from console.setup.progress import step_of
from console.web.access import ViewerRequest, found_or_404, require, require_evidence, require_present
from console.web.render import render_page
from iam.audit.evidence.models import EvidencePack, PackState
from iam.audit.evidence.packs import PackRefusedError, may_request, may_see, request_pack, visible_packs
from iam.audit.evidence.removals import RemovalRefusedError, may_remove, remove_file
from iam.guard import Right
from iam.journal.services import record
from iam.mirror.models import Account

STOP_POLLING = 286
PART = 1 << 16
FILES = {
    "requirements": "Requirements",
    "findings": "Findings",
    "reviews": "Review decisions",
    "sample": "Sampled changes",
    "changes": "Changes",
    "users": "IAM users",
    "operators": "Roles in Gatehouse",
    "journal": "Journal entries in the chain",
}


@require_evidence
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: ViewerRequest) -> HttpResponse:
    """Show the form, or request a pack."""
    require_present(request)
    if not may_request(request.viewer):
        raise Http404
    now = datetime.now(tz=UTC)
    form = PackForm(request.POST or None, viewer=request.viewer, chosen=request.GET.get("about", ""), now=now)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                pack = request_pack(form.order(), actor=request.viewer, now=now)
            except PackRefusedError as error:
                form.refuse(error)
            else:
                return redirect("evidence:pack", pk=pack.pk)
        status = 422
    context = {"form": form, "section": "evidence"}
    return render_page(request, "evidence/new.html", context, status=status)


def _pack(request: ViewerRequest, pk: UUID) -> EvidencePack:
    if not may_see(request.viewer):
        raise Http404
    return found_or_404(visible_packs(request.viewer).filter(pk=pk).first())


@require_evidence
@require_safe
def pack_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show a pack's progress, content and how to verify it; status 286 stops the polling."""
    require_present(request)
    pack = _pack(request, pk)
    names = Account.objects.filter(account_id__in=pack.accounts).values_list("name", flat=True)
    context: dict[str, Any] = {
        "pack": pack,
        "tone": tone_of(pack),
        "accounts": list(names.order_by("name")),
        "counts": [(label, pack.counts[name]) for name, label in FILES.items() if name in pack.counts],
        "has_file": pack.state == PackState.DONE and pack.path.exists(),
        "may_remove": may_remove(request.viewer),
        "command": (
            f"python3 verify_evidence.py gatehouse-{pack.reference}.zip \\",
            f"  --key {pack.key}",
        ),
        "step": step_of(request),
        "section": "evidence",
    }
    status = STOP_POLLING if pack.is_final and request.GET.get("n") else 200
    return render_page(request, "evidence/pack.html", context, partial="progress", status=status)


def _parts(path: Path) -> Iterator[bytes]:
    """Yield the file, opened only when the response is sent, so that an unread response leaves no open
    file.
    """
    with path.open("rb") as file:
        while part := file.read(PART):
            yield part


@require_evidence
@require_safe
def download_pack(request: ViewerRequest, pk: UUID) -> HttpResponseBase:
    """Send the file and record the download in the journal."""
    pack = _pack(request, pk)
    if pack.state != PackState.DONE:
        raise Http404
    if not pack.path.exists():
        raise Http404
    record(
        kind="evidence.download",
        actor=request.viewer,
        subject=pack.title,
        data={"pack": pack.reference, "sha256": pack.sha256},
    )
    response = StreamingHttpResponse(_parts(pack.path), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="gatehouse-{pack.reference}.zip"'
    response["Cache-Control"] = "no-store"
    return response


@require(Right.SEE_ACCOUNT)
@require_POST
def delete_pack(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Delete the file of a pack; its row remains."""
    require_present(request)
    if not may_remove(request.viewer):
        raise Http404
    pack = _pack(request, pk)
    try:
        remove_file(pack, actor=request.viewer, now=datetime.now(tz=UTC))
    except RemovalRefusedError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The file was deleted.")
    return redirect("evidence:pack", pk=pk)
