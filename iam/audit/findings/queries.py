"""Findings as a viewer sees them: lists, one finding, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, QuerySet

from iam.audit.findings.models import (
    AcceptanceState,
    AuditFinding,
    FindingAcceptance,
    FindingSeverity,
    FindingStatus,
)
from iam.guard import Viewer
from iam.keyset import Order
from iam.mirror.models import Account, Kind
from iam.mirror.queries.visibility import visible

WORST_FIRST: Final = Order("place", "id")
KINDS_OF_TEAMS: Final = (Kind.USER, Kind.GROUP)


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """What a list of findings is narrowed to. `changed_since`: whose status changed since then;
    `is_requested`: someone requested to accept it.
    """

    account: Account | None = None
    severities: tuple[int, ...] = ()
    kind: str = ""
    statuses: tuple[str, ...] = ()
    certainty: str = ""
    changed_since: datetime | None = None
    is_requested: bool = False
    text: str = ""


def visible_findings(viewer: Viewer) -> QuerySet[AuditFinding]:
    """Findings of whole accounts that the viewer sees; a lead sees those of their people and groups."""
    return visible(AuditFinding.objects.all(), viewer, entity="entity", kinds=KINDS_OF_TEAMS)


def findings(viewer: Viewer, wanted: FindingFilter) -> QuerySet[AuditFinding]:
    """Those that fit, the worst first."""
    rows = visible_findings(viewer)
    conditions: dict[str, Any] = {}
    if wanted.account is not None:
        conditions["account"] = wanted.account
    if wanted.severities:
        conditions["severity__in"] = wanted.severities
    if wanted.kind:
        conditions["kind"] = wanted.kind
    if wanted.statuses:
        conditions["status__in"] = wanted.statuses
    if wanted.certainty:
        conditions["certainty"] = wanted.certainty
    if wanted.changed_since is not None:
        conditions["changed_at__gte"] = wanted.changed_since
    if wanted.is_requested:
        waiting = FindingAcceptance.objects.filter(state=AcceptanceState.REQUESTED)
        conditions["pk__in"] = waiting.values("finding")
    rows = rows.filter(**conditions)
    # Who looks after people only must not find out by a search what else a finding is about.
    column = "search__contains" if viewer.sees_accounts else "place__contains"
    for word in wanted.text.lower().split():
        rows = rows.filter(**{column: word})
    return rows


def severity_counts(viewer: Viewer, *, account: Account | None) -> Mapping[int, int]:
    """How many open findings there are of each severity: one query."""
    rows = findings(viewer, FindingFilter(account=account, statuses=(FindingStatus.OPEN,)))
    counts = dict(rows.order_by().values_list("severity").annotate(number=Count("pk")))
    return {severity: counts.get(severity, 0) for severity in FindingSeverity.values}


def status_counts(viewer: Viewer, wanted: FindingFilter) -> Mapping[str, int]:
    """How many findings that fit there are of each status, whatever status is wanted: one query."""
    rows = findings(viewer, wanted).order_by()
    counts = dict(rows.values_list("status").annotate(number=Count("pk")))
    return {status: counts.get(status, 0) for status in FindingStatus.values}
