"""Collects the requirements of a framework with results, attestations and exceptions, and the accounts'
findings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db.models import QuerySet

from iam.audit.evidence.tables import PackColumn, PackTable, Row
from iam.audit.findings.models import AuditFinding, FindingStatus
from iam.audit.findings.report import report_at
from iam.audit.findings.rules import all_rules
from iam.audit.findings.values import shown_evidence
from iam.audit.frameworks.assessment import ScopedFramework, parts_now
from iam.audit.frameworks.definitions import ControlFramework, all_frameworks
from iam.audit.frameworks.evaluation import Parts
from iam.audit.frameworks.judgement import RequirementResult
from iam.audit.frameworks.models import FrameworkAssessment
from iam.audit.frameworks.reasons import OWN
from iam.audit.frameworks.results import past_parts
from iam.audit.frameworks.stored_parts import row_of
from iam.audit.frameworks.summaries import judged, kept_parts
from iam.mirror.models import Account

CHUNK: Final = 1_000
REQUIREMENT_KEYS: Final = ("requirement", "title", "state", "reason", "attested", "excepted", "findings")
REQUIREMENT_COLUMNS: Final = (
    PackColumn("requirement", "Number", 0.8, "bold"),
    PackColumn("title", "What it requires", 2.6),
    PackColumn("state", "Status", 0.9),
    PackColumn("reason", "Why", 3),
    PackColumn("attested", "Attested", 1.6),
    PackColumn("excepted", "Exception", 1.6),
)
FINDING_KEYS: Final = (
    "id",
    "account",
    "kind",
    "title",
    "severity",
    "status",
    "certainty",
    "subject",
    "first_seen",
    "affected",
)
FINDING_COLUMNS: Final = (
    PackColumn("severity", "Severity", 0.7, "bold"),
    PackColumn("title", "Finding", 1.8),
    PackColumn("account", "Account", 1, "mono"),
    PackColumn("subject", "Concerns", 3.4, "mono"),
    PackColumn("status", "Status", 0.8),
    PackColumn("first_seen", "First seen", 1.3),
)


def framework_tables(
    name: str, accounts: QuerySet[Account], *, as_of: datetime, is_past: bool = False
) -> Sequence[PackTable]:
    """Tables of requirements and findings; for a past moment, as they were then. Raises KeyError for an
    unknown framework.
    """
    framework = all_frameworks()[name]
    requirements, findings = _requirements, _findings
    if is_past:
        requirements, findings = _past_requirements, _past_findings
    return [
        PackTable(
            name="requirements",
            title=framework.title,
            note="Each requirement in our own words. “passed” and “failed” follow from findings and facts of "
            "the accounts; a person attests what those can’t tell. “unknown” means that it wasn’t synced.",
            keys=REQUIREMENT_KEYS,
            columns=REQUIREMENT_COLUMNS,
            rows=lambda: requirements(framework, list(accounts), as_of),
        ),
        PackTable(
            name="findings",
            title="Findings",
            note="Every finding of the accounts that is open or accepted"
            + (", as of the moment of this pack." if is_past else "."),
            keys=FINDING_KEYS,
            columns=FINDING_COLUMNS,
            rows=lambda: findings(accounts, as_of),
        ),
    ]


def _requirements(framework: ControlFramework, accounts: list[Account], as_of: datetime) -> Iterator[Row]:
    kept = kept_parts(framework, None)
    parts: dict[str, Parts] = {}
    if OWN in kept:
        parts[OWN] = kept[OWN]
    for account in accounts:
        # Assess accounts that no worker has assessed yet, so that nothing is silently missing.
        own: Parts | None = kept.get(account.account_id)
        parts[account.account_id] = own or parts_now(account, [ScopedFramework(framework, None)], at=None)[0]
    oldest = _judged_at(framework, accounts) or as_of
    for result in judged(framework, None, parts, at=as_of).values():
        yield _requirement(framework, result, oldest)


def _past_requirements(
    framework: ControlFramework, accounts: list[Account], as_of: datetime
) -> Iterator[Row]:
    for result in judged(framework, None, past_parts(framework, accounts, at=as_of), at=as_of).values():
        yield _requirement(framework, result, as_of)


def _judged_at(framework: ControlFramework, accounts: list[Account]) -> datetime | None:
    rows = FrameworkAssessment.objects.filter(
        framework=framework.name, scope=None, account__in=accounts, moment=None
    )
    return rows.order_by("evaluated_at").values_list("evaluated_at", flat=True).first()


def _requirement(framework: ControlFramework, result: RequirementResult, judged_at: datetime) -> Row:
    requirement = framework.requirement(result.number)
    row = row_of(result, as_of=judged_at.isoformat())
    return {
        **row,
        "title": requirement.title if requirement else "",
        "text": requirement.text if requirement else "",
        "attested": _decision_words(row["attestation"]),
        "excepted": _decision_words(row["exception"]),
    }


def _decision_words(decision: dict[str, Any] | None) -> list[str]:
    """Return the decider, end date and reason of a decision. The date is on a line of its own, because the
    report formats it.
    """
    if decision is None:
        return []
    lines = [f"By {decision['by']}"]
    if decision.get("approved_by"):
        lines.append(f"Approved by {decision['approved_by']}")
    return [*lines, "Until", str(decision["valid_until"]), str(decision["reason"])]


@cache
def _titles() -> dict[str, str]:
    return {kind: rule.title for kind, rule in all_rules().items()}


def _title_of(kind: str) -> str:
    """The title of the kind, or the kind itself if this version no longer has it."""
    return _titles().get(kind, kind)


def _past_findings(accounts: QuerySet[Account], as_of: datetime) -> Iterator[Row]:
    """Yield the findings at that time by today's rules, as in `manage.py findings --as-of`."""
    for finding in report_at(accounts, as_of).rows:
        labels = {name: finding[name].title() for name in ("severity", "status", "certainty")}
        same = {name: finding[name] for name in ("account", "kind", "subject", "evidence", "first_seen")}
        number, title = f"{finding['kind']} {finding['subject']}", _title_of(finding["kind"])
        affected = finding["evidence"].get("affected", 0)
        yield {"id": number, "title": title, "affected": affected, **same, **labels}


def _findings(accounts: QuerySet[Account], as_of: datetime) -> Iterator[Row]:
    rows = AuditFinding.objects.filter(account__in=accounts).exclude(status=FindingStatus.FIXED)
    rows = rows.select_related("account").order_by("severity", "kind", "id")
    for finding in rows.iterator(chunk_size=CHUNK):
        yield {
            "id": finding.key,
            "account": finding.account.account_id,
            "kind": finding.kind,
            "title": _title_of(finding.kind),
            "severity": finding.get_severity_display(),
            "status": finding.get_status_display(),
            "certainty": finding.get_certainty_display(),
            "subject": finding.subject,
            "first_seen": finding.first_seen,
            "last_seen": finding.seen_at,
            "affected": finding.affected,
            "evidence": shown_evidence(finding),
            "accepted_until": finding.accepted_until,
        }
