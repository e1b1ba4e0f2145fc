"""Findings as JSON values, for `manage.py findings` and exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from iam.activity.queries import HIDDEN, hides_addresses
from iam.audit.findings.models import AuditFinding, FindingSeverity

Row = dict[str, Any]
PLACES: Final = "used_from"
"""The evidence names of source addresses of access keys."""


def values_of(finding: AuditFinding, *, last_seen: datetime | None = None) -> Row:
    """A finding as a row of the JSON list.

    `last_seen` replaces the stored value.
    """
    return {
        "kind": finding.kind,
        "severity": FindingSeverity(finding.severity).name.lower(),
        "certainty": finding.certainty,
        "status": finding.status,
        "account": finding.account.account_id,
        "subject": finding.subject,
        "related": finding.related,
        "evidence": _evidence(shown_evidence(finding), finding.reasons, finding.affected),
        "first_seen": finding.first_seen.isoformat(),
        "last_seen": (last_seen or finding.seen_at).isoformat(),
        "fix": finding.fix,
    }


def shown_evidence(finding: AuditFinding) -> Mapping[str, Any]:
    """The evidence, without source addresses if the setting hides them."""
    evidence: Mapping[str, Any] = finding.evidence
    if PLACES not in evidence or not hides_addresses():
        return evidence
    return {**evidence, PLACES: [place | {"address": HIDDEN} for place in evidence[PLACES]]}


def _evidence(evidence: Mapping[str, Any], reasons: list[str], affected: int) -> Row:
    more: Row = {}
    if affected:
        more["affected"] = affected
    if reasons:
        more["conditional_because"] = reasons
    return {**evidence, **more}
