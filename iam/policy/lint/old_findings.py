"""Findings that an earlier text of a policy already had, so that an old policy with names that AWS has
retired can still be edited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from iam.policy.lint.codes import LintSeverity
from iam.policy.lint.findings import LintFinding
from iam.policy.lint.kinds import LintKind
from iam.policy.lint.run import lint


def less_standing(
    findings_now: Sequence[LintFinding], *, former: Callable[[], str], kind: LintKind
) -> list[LintFinding]:
    """Return the findings, with name errors that the former text has too as warnings. It reads that text only
    if needed.
    """
    if not any(_is_name_error(finding) for finding in findings_now) or not (text := former()):
        return list(findings_now)
    known = {
        (finding.code, finding.message)
        for finding in lint(text, kind=kind, quota=None)
        if _is_name_error(finding)
    }
    findings = []
    for finding in findings_now:
        if _is_name_error(finding) and (finding.code, finding.message) in known:
            findings.append(replace(finding, severity=LintSeverity.WARNING))
        else:
            findings.append(finding)
    return findings


def _is_name_error(finding: LintFinding) -> bool:
    return finding.is_by_catalogue and finding.severity is LintSeverity.ERROR
