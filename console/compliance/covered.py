"""What an exception covers: what failed when it was requested, and nothing that came later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID

from iam.audit.findings.models import AuditFinding
from iam.audit.findings.queries import visible_findings
from iam.audit.findings.rules import all_rules
from iam.audit.frameworks.checks import CHECKS
from iam.audit.frameworks.judgement import DecisionKind
from iam.audit.frameworks.models import RequirementDecision
from iam.guard import Viewer

NAMED: Final = 20
"""So many of them are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class CoveredProblems:
    """What an exception covers, by name, and how many more it covers."""

    names: tuple[str, ...]
    more: int


def covered_problems(
    decisions: Iterable[RequirementDecision], viewer: Viewer
) -> Mapping[UUID, CoveredProblems]:
    """What each exception covers, by its ID; of accounts that the viewer doesn’t see only how many."""
    exceptions = [row for row in decisions if row.kind == DecisionKind.EXCEPTION]
    keys = set(chain.from_iterable(row.covers[:NAMED] for row in exceptions))
    findings: Mapping[str, AuditFinding] = {}
    if keys:
        rows = visible_findings(viewer).filter(key__in=keys).select_related("account")
        findings = {finding.key: finding for finding in rows}
    covered = {}
    for row in exceptions:
        names = [_name(key, findings, viewer) for key in row.covers[:NAMED]]
        known = tuple(filter(None, names))
        covered[row.pk] = CoveredProblems(known, len(row.covers) - len(known))
    return covered


def _name(key: str, findings: Mapping[str, AuditFinding], viewer: Viewer) -> str:
    """What a key names, "" where the viewer doesn’t see it: a finding, or an item of a check."""
    finding = findings.get(key)
    if finding is not None:
        title = all_rules()[finding.kind].title if finding.kind in all_rules() else finding.kind
        return f"{finding.name} in {finding.account.name}: {title}"
    check, _, item = key.partition(":")
    if check not in CHECKS or not viewer.scope.sees_everything:
        return ""
    return f"{item.rpartition('/')[2]}: {CHECKS[check]}" if item else CHECKS[check]
