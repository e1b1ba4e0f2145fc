"""Lints a template, filled in with sample parameters."""

from __future__ import annotations

import json

from iam.access.templates.body import TemplateBody
from iam.policy.lint import LintFinding, LintKind, LintSeverity, lint


def sample_text(body: TemplateBody) -> str:
    """The policy for the samples, one element per line."""
    return json.dumps(body.render(body.samples), indent=2, ensure_ascii=False)


def findings_of(body: TemplateBody) -> list[LintFinding]:
    """The lint's findings in `sample_text`, in text order."""
    return lint(sample_text(body), kind=LintKind.IDENTITY)


def errors_of(body: TemplateBody) -> list[LintFinding]:
    """The findings that AWS would reject or that have no effect."""
    return [finding for finding in findings_of(body) if finding.severity is LintSeverity.ERROR]
