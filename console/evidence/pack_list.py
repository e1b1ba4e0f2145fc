"""The list of evidence packs, the public key, and the script that verifies packs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from console.web.access import ViewerRequest, require_evidence, require_present
from console.web.render import render_page
from iam.audit.evidence import verify_evidence
from iam.audit.evidence.models import EvidencePack, PackState
from iam.audit.evidence.pack_files import VERIFIER
from iam.audit.evidence.packs import may_request, may_sample, may_see, visible_packs
from iam.journal.signing_keys import verifiers

PAGE: Final = 50
TONES: Final = {PackState.DONE: "ok", PackState.FAILED: "bad"}


def tone_of(pack: EvidencePack) -> str:
    """Return the tone of a pack's status."""
    return TONES.get(PackState(pack.state), "info")


@require_evidence
@require_safe
def packs_page(request: ViewerRequest) -> HttpResponse:
    """Show the newest packs that the viewer can see."""
    require_present(request)
    if not may_see(request.viewer):
        raise Http404
    packs = list(visible_packs(request.viewer)[: PAGE + 1])
    context = {
        "rows": [(pack, tone_of(pack)) for pack in packs[:PAGE]],
        "limit": PAGE if len(packs) > PAGE else 0,
        "keys": [str(verifier) for verifier in verifiers()],
        "may_build": may_request(request.viewer),
        "may_sample": may_sample(request.viewer),
        "section": "evidence",
    }
    return render_page(request, "evidence/packs.html", context)


@require_evidence
@require_safe
def verifier(request: ViewerRequest) -> HttpResponse:
    """Download the verification script, to keep with packs."""
    if not may_see(request.viewer):
        raise Http404
    response = HttpResponse(Path(verify_evidence.__file__).read_bytes(), content_type="text/x-python")
    response["Content-Disposition"] = f'attachment; filename="{VERIFIER}"'
    return response
