"""The rows of `manage.py findings`, for now or a past moment."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from iam.access.escalation_calculation import calculation as escalation
from iam.access.escalation_calculation.stored_calculation import kept_at
from iam.audit.findings import calculation
from iam.audit.findings.identity import ComputedFindings
from iam.audit.findings.models import AuditFinding, FindingAcceptance, FindingRun, FindingStatus
from iam.audit.findings.values import Row, values_of
from iam.mirror.models import Account

PATIENCE_S: Final = 30.0
PAUSE_S: Final = 0.5


def rows_now(accounts: Iterable[Account]) -> Iterator[Row]:
    """The findings of accounts, after an update."""
    wanted = list(accounts)
    bring_up_to_date(wanted)
    rows = AuditFinding.objects.filter(account__in=wanted).exclude(status=FindingStatus.FIXED)
    for finding in rows.select_related("account__finding_run").order_by("place", "id"):
        yield values_of(finding)


def bring_up_to_date(accounts: list[Account]) -> None:
    """Calculate what is due, waiting a short time if a worker is doing so."""
    until = time.monotonic() + PATIENCE_S
    while True:
        escalation.calculate_due()
        calculation.calculate_due(accounts)
        is_done = kept_at(None) is not None and not any(map(calculation.is_due, accounts))
        if is_done or time.monotonic() > until:
            return
        time.sleep(PAUSE_S)


class FindingReport(NamedTuple):
    """The findings of accounts, and the kinds that could not be judged, by account name."""

    rows: list[Row]
    unread: dict[str, frozenset[str]]


def report_now(accounts: Iterable[Account]) -> FindingReport:
    """The current findings, after an update."""
    wanted = list(accounts)
    rows = list(rows_now(wanted))
    runs = FindingRun.objects.filter(account__in=wanted).values_list("account__name", "unread")
    return FindingReport(rows, {name: frozenset(unread) for name, unread in runs})


def report_at(accounts: Iterable[Account], at: datetime) -> FindingReport:
    """The findings at a past moment by today's rules. Stored ones have the dates at which they were seen."""
    escalation.calculate(at)
    report = FindingReport([], {})
    for account in accounts:
        computed = calculation.computed_of(account, at=at)
        report.rows.extend(rows_of_computed(account, computed, at))
        report.unread[account.name] = computed.unread
    return report


def rows_of_computed(account: Account, computed: ComputedFindings, at: datetime) -> Iterator[Row]:
    """Computed results of an account at a past moment as rows, worst first."""
    kept = {
        row.key: row
        for row in AuditFinding.objects.filter(account=account, key__in=computed.findings).select_related(
            "account__finding_run"
        )
    }
    accepted = _accepted(account, at)
    ordered = sorted(computed.findings.values(), key=lambda finding: str(finding.values["place"]))
    for finding in ordered:
        stored = kept.get(finding.key)
        first_seen = min(stored.first_seen, at) if stored else at
        last_seen = max(stored.seen_at, at) if stored else at
        row = AuditFinding(account=account, first_seen=first_seen, **finding.values)
        row.status = FindingStatus.ACCEPTED if finding.key in accepted else FindingStatus.OPEN
        yield values_of(row, last_seen=last_seen)


def _accepted(account: Account, at: datetime) -> set[str]:
    """The keys of the findings that were accepted at a moment."""
    rows = FindingAcceptance.objects.filter(finding__account=account, decided_at__lte=at, until__gt=at)
    return set(rows.filter(state="approved").values_list("finding__key", flat=True))
