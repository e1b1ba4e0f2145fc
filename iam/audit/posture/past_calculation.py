"""Calculates the past postures that pages requested, with the code of `manage.py findings --as-of`, and keeps
them for a day.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from iam.access.escalation_calculation import calculation as escalation
from iam.audit.findings import calculation
from iam.audit.findings.models import FindingSeverity, FindingStatus
from iam.audit.findings.report import rows_of_computed
from iam.audit.findings.values import Row
from iam.audit.posture.days import posture_of_rows
from iam.audit.posture.models import PastPosture

MAX_KEPT: Final = 500
KEPT: Final = timedelta(days=1)


def calculate_waiting() -> int:
    """Calculate requested moments and delete old ones. Returns how many were calculated."""
    PastPosture.objects.filter(requested_at__lt=datetime.now(tz=UTC) - KEPT).delete()
    waiting = PastPosture.objects.filter(calculated_at__isnull=True).select_related("account")
    count = 0
    for row in waiting.order_by("at", "account_id"):
        _calculate(row)
        count += 1
    return count


def _calculate(row: PastPosture) -> None:
    escalation.calculate(row.at)
    computed = calculation.computed_of(row.account, at=row.at)
    findings = list(rows_of_computed(row.account, computed, row.at))
    open_rows = [finding for finding in findings if finding["status"] == FindingStatus.OPEN]
    posture = posture_of_rows(open_rows, unread=computed.unread)
    values: dict[str, Any] = {
        "calculated_at": datetime.now(tz=UTC),
        "score": posture.score,
        "lines": [list(asdict(line).values()) for line in posture.lines],
        "unread": list(posture.unread),
        "count": len(findings),
        "findings": [_kept(finding) for finding in findings[:MAX_KEPT]],
    }
    PastPosture.objects.filter(pk=row.pk).update(**values)


def _kept(finding: Row) -> list[Any]:
    severity = FindingSeverity[finding["severity"].upper()]
    return [finding["kind"], int(severity), finding["certainty"], finding["status"], finding["subject"]]
