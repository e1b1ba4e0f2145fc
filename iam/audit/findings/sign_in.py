"""Finds sign-in sessions that can last longer than AWS's default of 12 hours, with the fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.fix_request import subject_of
from iam.audit.findings.models import AuditFinding, FindingSeverity
from iam.audit.findings.rule import FindingFix, RuleProblem
from iam.changes.acts.options import state_of
from iam.changes.operations import Operation
from iam.changes.operations.sign_in_session import USUAL_S, LimitRoleSignIn, LimitUserSignIn, sign_in_words
from iam.mirror.models import Kind


def sign_in_problem(
    principal: EntityFact, seconds: int | None, facts: AccountFacts, fix: FindingFix
) -> Iterator[RuleProblem]:
    """A problem if the duration is more than 12 hours; None or 0 means not set."""
    if not seconds or seconds <= USUAL_S:
        return
    is_administrator = bool((facts.administrators or {}).get(principal.id))
    severity = FindingSeverity.HIGH if is_administrator else None
    evidence = {"sign_in_sessions": sign_in_words(seconds).capitalize(), "administrator": is_administrator}
    yield RuleProblem(principal, evidence, severity=severity, fix=fix)


def limit_sign_in(finding: AuditFinding) -> Sequence[Operation]:
    """The fix that restores AWS's default limit."""
    principal = subject_of(finding)
    if principal.kind == Kind.ROLE:
        return [LimitRoleSignIn.on(principal, state_of(principal), seconds=None)]
    return [LimitUserSignIn.on(principal, seconds=None)]
