"""The worst findings for the overview: of all accounts, or of the people that someone looks after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.urls import reverse

from console.findings.posture import posture_context
from console.findings.presenters import row_of
from iam.audit.findings.queries import FindingState, are_all_judged, finding_state, worst_findings
from iam.guard import Viewer
from iam.mirror.models import Account

NONE: Final = "No critical or high findings."
NONE_KNOWN: Final = "None known. Not everything was synced and judged yet."


def findings_context(viewer: Viewer, account: Account | None) -> dict[str, Any]:
    """Return the context of `dashboard/_findings.html`, and of the posture score for viewers of whole
    accounts.
    """
    state = finding_state()
    worst = worst_findings(viewer, account)
    posture = posture_context(viewer, account, state=state)
    nothing = "" if worst else _nothing_words(viewer, account, state, posture)
    return posture | {
        "worst": [row_of(finding, viewer) for finding in worst],
        "findings_url": reverse("findings:list"),
        "no_findings": nothing,
        "may_miss_findings": nothing not in ("", NONE),
    }


def _nothing_words(
    viewer: Viewer, account: Account | None, state: FindingState, posture: Mapping[str, Any]
) -> str:
    """Return the text without findings, which depends on whether everything could be judged."""
    if state.calculated_at is None:
        return "Findings aren’t calculated yet."
    if posture:
        is_whole = not posture["posture"]["unread"] and not posture["posture"]["unscored"]
    else:
        is_whole = are_all_judged(viewer, account)
    return NONE if is_whole else NONE_KNOWN
