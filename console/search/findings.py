"""Finds open findings, the worst first."""

from __future__ import annotations

from typing import Final

from django.urls import reverse

from console.findings.presenters import row_of
from console.search.results import FirstResults, SearchResult
from iam.audit.findings.models import AuditFinding, FindingStatus
from iam.audit.findings.queries import WORST_FIRST, FindingFilter, findings
from iam.guard import Viewer
from iam.keyset import page

MAX_FINDINGS: Final = 5
SHORTEST: Final = 2


def finding_results(viewer: Viewer, text: str) -> FirstResults:
    """Return the worst open findings with these words in their kind or subject, as in the list."""
    if len(text) < SHORTEST:
        return FirstResults([], 0)
    rows = findings(viewer, FindingFilter(statuses=(FindingStatus.OPEN.value,), text=text))
    first = page(rows.select_related("account"), order=WORST_FIRST, size=MAX_FINDINGS)
    total = rows.count() if first.after else len(first.rows)
    return FirstResults([_result(finding, viewer) for finding in first.rows], total)


def _result(finding: AuditFinding, viewer: Viewer) -> SearchResult:
    row = row_of(finding, viewer)
    return SearchResult(
        title=row.title,
        url=reverse("findings:finding", args=[finding.pk]),
        icon="triangle-alert",
        kind=f"{row.severity} finding",
        detail=f"{finding.name} in {finding.account.name}",
    )
