"""The worst findings for the overview: of all accounts, or of the people that someone looks after."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from console.findings.posture import posture_context
from console.findings.presenters import row_of
from iam.audit.findings.queries import finding_state, worst_findings
from iam.guard import Viewer
from iam.mirror.models import Account


def findings_context(viewer: Viewer, account: Account | None) -> dict[str, Any]:
    """The context of `dashboard/_findings.html`, and of the posture score for who sees whole accounts."""
    nothing = "No critical or high findings."
    state = finding_state()
    if state.calculated_at is None:
        nothing = "Findings aren’t calculated yet."
    shown = {
        "worst": [row_of(finding, viewer) for finding in worst_findings(viewer, account)],
        "findings_url": reverse("findings:list"),
        "no_findings": nothing,
    }
    return shown | posture_context(viewer, account, state=state)
