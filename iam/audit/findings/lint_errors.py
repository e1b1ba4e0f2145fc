"""Finds lint errors of policies; each text is checked once per process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from iam.audit.findings.facts import AccountFacts, PolicyFact
from iam.audit.findings.rule import FindingFix, RuleProblem
from iam.policy.lint.codes import LintSeverity
from iam.policy.lint.kinds import LintKind
from iam.policy.lint.run import lint
from iam.policy.statements import as_list, statements_of

UNKNOWN_NAMES: Final = frozenset({"INVALID_ACTION", "INVALID_SERVICE_IN_ACTION"})
CUT_SHORT: Final = "MISSING_ARN_FIELD"
ARN_FIELDS: Final = 6
TEXTS_KEPT: Final = 20_000
QUOTAS: Final = frozenset({"POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"})
"""Ignored, because AWS can raise quotas and has accepted the text."""


class LintError(NamedTuple):
    """An error and its place: the statement from 1, None for the whole text."""

    code: str
    message: str
    statement: int | None
    line: int

    @property
    def evidence(self) -> dict[str, Any]:
        """The form for evidence."""
        return {"message": self.message, "statement": self.statement, "line": self.line}


def lint_errors(policy: PolicyFact, facts: AccountFacts) -> tuple[LintError, ...]:
    """The errors of a policy, except those of AWS."""
    if policy.is_aws_managed:
        return ()
    text = facts.documents.get(policy.digest)
    return () if text is None else _errors(text)


def problem_of(policy: PolicyFact, errors: Sequence[LintError], facts: AccountFacts) -> RuleProblem:
    """The problem of a policy with these errors."""
    evidence = {"policy": policy.name, "errors": [error.evidence for error in errors]}
    fix = None if policy.is_inline else FindingFix(page="policy", on=policy.owner.id)
    holders = facts.arns(policy.holders)
    return RuleProblem(policy.owner, evidence, cause=policy.cause, related=holders, fix=fix)


def _is_cut_short(arn: str) -> bool:
    """True if an ARN has too few fields and no wildcard for the missing ones."""
    fields = arn.split(":")
    is_open = any("*" in field or "$" in field for field in fields[:-1]) or fields[-1].startswith(("*", "$"))
    return fields[0] == "arn" and len(fields) < ARN_FIELDS and not is_open


def _cut_short(text: str) -> list[LintError]:
    errors = []
    for number, statement in enumerate(statements_of(text), 1):
        for name in as_list(statement.get("Resource", [])):
            if _is_cut_short(str(name)):
                errors.append(LintError(CUT_SHORT, f"“{name}” isn’t a valid ARN.", number, 0))
    return errors


@lru_cache(maxsize=TEXTS_KEPT)
def _errors(text: str) -> tuple[LintError, ...]:
    errors = _cut_short(text)
    for finding in lint(text, kind=LintKind.IDENTITY, quota=None):
        if finding.severity is LintSeverity.ERROR and finding.code not in QUOTAS:
            statement = None if finding.statement is None else finding.statement + 1
            errors.append(LintError(finding.code, finding.message, statement, finding.line))
    return tuple(errors)
