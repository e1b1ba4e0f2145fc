"""The worst findings for the overview: of all accounts, or of the people that someone looks after."""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse

from console.findings.posture import posture_context
from console.findings.presenters import row_of
from iam.audit.findings.models import FindingSeverity, FindingStatus
from iam.audit.findings.queries import WORST_FIRST, FindingFilter, finding_state, findings
from iam.guard import Viewer
from iam.keyset import page
from iam.mirror.models import Account

SHOWN: Final = 5
BAD: Final = (FindingSeverity.CRITICAL.value, FindingSeverity.HIGH.value)


def worst_findings(viewer: Viewer, account: Account | None) -> dict[str, Any]:
    """The context of `dashboard/_findings.html`, and of the posture score for who sees whole accounts."""
    wanted = FindingFilter(account=account, severities=BAD, statuses=(FindingStatus.OPEN,))
    rows = findings(viewer, wanted).select_related("account")
    worst = page(rows, order=WORST_FIRST, size=SHOWN).rows
    nothing = "No critical or high findings."
    state = finding_state()
    if state.calculated_at is None:
        nothing = "Findings aren’t calculated yet."
    shown = {
        "worst": [row_of(finding, viewer) for finding in worst],
        "findings_url": reverse("findings:list"),
        "no_findings": nothing,
    }
    return shown | posture_context(viewer, account, state=state)
