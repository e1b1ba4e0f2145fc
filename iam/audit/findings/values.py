"""Findings as values: the names of the JSON list that `manage.py findings` and exports give."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from iam.audit.findings.models import AuditFinding, FindingSeverity

Row = dict[str, Any]


def values_of(finding: AuditFinding, *, last_seen: datetime | None = None) -> Row:
    """A finding with the names of the JSON list; `last_seen` where it is not that of what is kept."""
    return {
        "kind": finding.kind,
        "severity": FindingSeverity(finding.severity).name.lower(),
        "certainty": finding.certainty,
        "status": finding.status,
        "account": finding.account.account_id,
        "subject": finding.subject,
        "related": finding.related,
        "evidence": _evidence(finding.evidence, finding.reasons, finding.affected),
        "first_seen": finding.first_seen.isoformat(),
        "last_seen": (last_seen or finding.seen_at).isoformat(),
        "fix": finding.fix,
    }


def _evidence(evidence: Mapping[str, Any], reasons: list[str], affected: int) -> Row:
    more: Row = {}
    if affected:
        more["affected"] = affected
    if reasons:
        more["conditional_because"] = reasons
    return {**evidence, **more}
