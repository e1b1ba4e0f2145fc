"""The certificate of an offboarding, to read, print and export; the journal holds its digest."""

from __future__ import annotations

import json
from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from console.offboarding.detail import leaver_or_404
from console.offboarding.lists import SEES
from console.web.access import ViewerRequest, require
from console.web.files import UNFIT
from console.web.render import render_page
from iam.guard import Right
from iam.journal.services import record
from iam.people.offboarding.certificates import matches_journal
from iam.people.offboarding.models import Leaver, OffboardingCertificate


def certificate_or_404(request: ViewerRequest, pk: UUID, kind: str) -> tuple[Leaver, OffboardingCertificate]:
    """Return the certificate.

    It covers all accounts, so Http404 is raised if the viewer can’t see all of the person's accounts.
    """
    leaver = leaver_or_404(request, pk)
    certificate = leaver.certificates.filter(kind=kind).first()
    numbers = leaver.seats.values_list("account__account_id", flat=True)
    sees = not request.viewer.sees_accounts or all(map(request.viewer.scope.sees_account, numbers))
    if certificate is None or not sees:
        raise Http404
    return leaver, certificate


@require_safe
@require(*SEES)
def certificate_page(request: ViewerRequest, pk: UUID, kind: str) -> HttpResponse:
    """Show the certificate."""
    leaver, certificate = certificate_or_404(request, pk, kind)
    context = {
        "section": "leaving",
        "leaver": leaver,
        "certificate": certificate,
        "body": json.loads(certificate.text),
        "stands": matches_journal(certificate),
        "sees_journal": request.viewer.may(Right.SEE_JOURNAL),
        "others": [kept for kept in leaver.certificates.all() if kept.pk != certificate.pk],
    }
    return render_page(request, "offboarding/certificate.html", context)


@require_safe
@require(Right.EXPORT)
def certificate_export(request: ViewerRequest, pk: UUID, kind: str) -> HttpResponse:
    """Export the exact text whose digest is in the journal."""
    leaver, certificate = certificate_or_404(request, pk, kind)
    record(
        kind="leaving.export",
        actor=request.viewer,
        subject=leaver.name,
        data={"leaver": leaver.pk, "reference": leaver.run.reference, "digest": certificate.digest},
    )
    sent = HttpResponse(certificate.text, content_type="application/json")
    name = UNFIT.sub("-", f"{leaver.run.reference}-{leaver.name}-{kind}")
    sent["Content-Disposition"] = f'attachment; filename="{name}.json"'
    sent["Cache-Control"] = "no-store"
    return sent
