"""Runs the lint on a text and returns its findings."""

from __future__ import annotations

from typing import Final

from iam.policy.catalogue import AwsCatalogue
from iam.policy.catalogue import catalogue as installed
from iam.policy.json_places import read_places
from iam.policy.lint.action_resources import check_fit
from iam.policy.lint.actions import check_actions
from iam.policy.lint.arns import check_arns
from iam.policy.lint.conditions import check_conditions
from iam.policy.lint.covered_principals import check_covered_principals
from iam.policy.lint.document_checks import check_size, check_whole
from iam.policy.lint.findings import LintFinding, LintReport, SourceSpot
from iam.policy.lint.grammar import read_document
from iam.policy.lint.kinds import QUOTAS, CharacterQuota, LintKind
from iam.policy.lint.organization import check_organization
from iam.policy.lint.placeholders import check_variables
from iam.policy.lint.principals import check_principals
from iam.policy.lint.redundancy import check_redundancy
from iam.policy.lint.risks import check_risks
from iam.policy.lint.trust import check_trust
from iam.policy.lint.view import LintSubject
from iam.policy.memory import without_collecting

MAX_LENGTH: Final = 262_144
"""Maximum length in characters. The longest policies in AWS have some 32,000, and can contain much white
space.
"""
OF_KIND: Final = CharacterQuota("the quota of its kind", 0)
"""Placeholder for AWS's quota for all policies of the kind."""


def lint(
    text: str,
    *,
    kind: LintKind | str,
    catalogue: AwsCatalogue | None = None,
    quota: CharacterQuota | None = OF_KIND,
) -> list[LintFinding]:
    """Return what is wrong with a policy, in the order of the text. It never raises an error.

    `catalogue` has the names, by default the installed one. `quota` is by default AWS's for all policies of
    the kind; None skips the check of the size, as for AWS managed policies, which have no such limit.
    """
    with without_collecting(len(text)):
        return _findings(text, LintKind(kind), quota=quota, catalogue=catalogue)


def _findings(
    text: str, kind: LintKind, *, quota: CharacterQuota | None, catalogue: AwsCatalogue | None
) -> list[LintFinding]:
    # A text that is too long for AWS isn't parsed, because that would take seconds.
    readable = text if len(text) <= MAX_LENGTH else "{}"
    reading = read_places(readable)
    report = LintReport(reading)
    for fault in reading.faults:
        report.add("JSON_SYNTAX_ERROR", SourceSpot(fault.at, "", None), fault.message, fault.remedy)
    limit = QUOTAS.get(kind) if quota is OF_KIND else quota
    if limit is not None:
        check_size(text, limit, kind, report)
    if len(text) > MAX_LENGTH:
        report.add(
            "DOCUMENT_TOO_LARGE",
            SourceSpot(0, "", None),
            f"The text has {len(text):,} characters. AWS accepts no policy of this size, so the rest wasn’t "
            "checked.",
            "Split it into several policies.",
        )
    elif reading.root is not None:
        document = read_document(reading.root, report)
        if document is not None:
            _check(LintSubject(document, kind, catalogue or installed(), report))
    return report.findings()


def _check(subject: LintSubject) -> None:
    check_whole(subject)
    check_principals(subject)
    check_covered_principals(subject)
    check_trust(subject)
    check_organization(subject)
    check_actions(subject)
    hopeless = check_arns(subject)
    check_fit(subject, hopeless)
    check_conditions(subject)
    check_variables(subject)
    check_risks(subject)
    check_redundancy(subject)
