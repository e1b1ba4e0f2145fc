"""Lint findings in a policy text, as pages list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from iam.access.fixes import key_of
from iam.policy.lint import LintFinding, LintSeverity

LOOKS: dict[LintSeverity, tuple[str, str]] = {
    LintSeverity.ERROR: ("bad", "circle-x"),
    LintSeverity.SECURITY: ("warn", "shield-alert"),
    LintSeverity.WARNING: ("warn", "triangle-alert"),
    LintSeverity.SUGGESTION: ("info", "info"),
}
"""Severity → tone and icon."""
WORDS: dict[LintSeverity, tuple[str, str]] = {
    LintSeverity.ERROR: ("error", "errors"),
    LintSeverity.SECURITY: ("security warning", "security warnings"),
    LintSeverity.WARNING: ("warning", "warnings"),
    LintSeverity.SUGGESTION: ("suggestion", "suggestions"),
}
MAX_FINDINGS = 50
"""Maximum number of findings listed; a text with more needs fixing anyway."""
ORDER = list(LintSeverity)


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding with its tone and icon; `fix` is its name if it can be fixed automatically."""

    finding: LintFinding
    tone: str
    icon: str
    severity: str
    fix: str
    policy: str = ""
    """The policy with the finding, if a request writes several."""


def finding_rows(findings: Sequence[LintFinding], *, policies: Sequence[str] = ()) -> dict[str, Any]:
    """Return the context of `_findings.html`: the rows, the number of further ones, and the tone of the most
    severe.

    `policies` names the policy of each finding, if there are several.
    """
    names = policies or [""] * len(findings)
    gravest = min((finding.severity for finding in findings), key=ORDER.index, default=None)
    return {
        "findings": [
            FindingRow(
                finding, *LOOKS[finding.severity], finding.severity.value.capitalize(), key_of(finding), name
            )
            for finding, name in zip(findings[:MAX_FINDINGS], names, strict=False)
        ],
        "finding_count": len(findings),
        "more_findings": len(findings[MAX_FINDINGS:]),
        "lint_tone": LOOKS[gravest][0] if gravest else "ok",
    }


def summary(findings: Sequence[LintFinding]) -> str:
    """Return '1 error, 2 warnings', or a text for none."""
    counts = [
        (sum(finding.severity is severity for finding in findings), WORDS[severity])
        for severity in LintSeverity
    ]
    return ", ".join(f"{number} {words[number != 1]}" for number, words in counts if number) or "no findings"
