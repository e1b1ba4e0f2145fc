"""What the lint finds in a template, filled in with the samples of its parameters."""

from __future__ import annotations

import json

from iam.access.templates.body import TemplateBody
from iam.policy.lint import LintFinding, LintKind, LintSeverity, lint


def sample_text(body: TemplateBody) -> str:
    """The policy of the samples, one element a line."""
    return json.dumps(body.render(body.samples), indent=2, ensure_ascii=False)


def findings_of(body: TemplateBody) -> list[LintFinding]:
    """What the lint finds in `sample_text`, in the order of the text."""
    return lint(sample_text(body), kind=LintKind.IDENTITY)


def errors_of(body: TemplateBody) -> list[LintFinding]:
    """What AWS would refuse, or what can never do what it says."""
    return [finding for finding in findings_of(body) if finding.severity is LintSeverity.ERROR]
