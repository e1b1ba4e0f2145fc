"""What an exception covers: only failures that existed when it was requested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID

from iam.audit.findings.models import AuditFinding
from iam.audit.findings.queries import visible_findings
from iam.audit.findings.rules import title_of
from iam.audit.frameworks.checks import CHECKS
from iam.audit.frameworks.judgement import DecisionKind
from iam.audit.frameworks.models import RequirementDecision
from iam.guard import Viewer

NAMED: Final = 10
"""Maximum number of names per kind; further ones are counted."""
READ: Final = 500
"""Maximum number of findings loaded per exception; further ones are counted without their kind."""


@dataclass(frozen=True, slots=True)
class CoveredKind:
    """A kind of finding or a failed check: its text, affected names, and the number of further ones."""

    title: str
    names: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class CoveredProblems:
    """The problems that an exception covers by kind, and the number of others."""

    kinds: tuple[CoveredKind, ...]
    more: int


def covered_problems(
    decisions: Iterable[RequirementDecision], viewer: Viewer
) -> Mapping[UUID, CoveredProblems]:
    """Return what each exception covers, by its ID; in accounts that the viewer doesn’t see, only the
    number.
    """
    exceptions = [row for row in decisions if row.kind == DecisionKind.EXCEPTION]
    keys = set(chain.from_iterable(row.covers[:READ] for row in exceptions))
    findings: Mapping[str, AuditFinding] = {}
    if keys:
        rows = visible_findings(viewer).filter(key__in=keys).select_related("account")
        findings = {finding.key: finding for finding in rows}
    return {row.pk: _covered(row.covers, findings, viewer) for row in exceptions}


def _covered(keys: Sequence[str], findings: Mapping[str, AuditFinding], viewer: Viewer) -> CoveredProblems:
    names: dict[str, list[str]] = defaultdict(list)
    hidden = 0
    for key in keys:
        check, _, item = key.partition(":")
        finding = findings.get(key)
        if finding is not None:
            names[f"{title_of(finding.kind)}:"].append(f"{finding.name} in {finding.account.name}")
        elif check in CHECKS and viewer.scope.sees_everything:
            title = f"“{CHECKS[check]}” fails for" if item else f"“{CHECKS[check]}” fails"
            names[title].append(item.rpartition("/")[2])
        else:
            hidden += 1
    kinds = [_kind(title, listed) for title, listed in names.items()]
    return CoveredProblems(tuple(kinds), hidden)


def _kind(title: str, names: Sequence[str]) -> CoveredKind:
    shown = tuple(name for name in names[:NAMED] if name)
    return CoveredKind(title, shown, max(0, len(names) - NAMED))
