"""Statements of policies give principals a path to administrator."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from iam.access.certainty import Certainty
from iam.access.escalation_groups import OpeningStatements
from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import can_close_path, close_path
from iam.audit.findings.rule import MAX_RELATED, FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import AUTHORIZATION

CONDITIONAL: Final = "a condition on the path decides"
MAX_STEPS: Final = 5
MAX_USED: Final = 20


class PrivilegeEscalation(FindingRule):
    """One finding for each set of statements that opens paths, as grouped by `iam.access.escalation_groups`.
    Medium if no affected principal has a console password.
    """

    kind = "privilege-escalation"
    severity = FindingSeverity.HIGH
    title = "Path to administrator"
    sentence = "A policy statement gives principals a way to become administrator, in one or several steps."
    risk = (
        "Everyone who is affected, and anyone who takes one of them over, can get all rights in the account."
    )
    remedy = "Remove or narrow the statement. A policy that AWS manages can only be detached or replaced."
    fix_request = FixRequest("Close path", close_path, fits=can_close_path)
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        if facts.openings is None:
            yield NotRead(None)
        for opening in facts.openings or ():
            if not opening.is_own and opening.affected:
                yield self._problem(opening, facts)

    def _problem(self, opening: OpeningStatements, facts: AccountFacts) -> RuleProblem:
        by_arn = {entity.arn: entity for entity in facts.entities.values()}
        statements = sorted(opening.statements, key=lambda s: (s.holder, s.policy, s.number))
        subject = next((by_arn[s.holder] for s in statements if s.holder in by_arn), None)
        affected = opening.affected
        arns = [each.member.arn for each in affected]
        is_confirmed = any(each.certainty is Certainty.CONFIRMED for each in affected)
        unread = dict.fromkeys(chain.from_iterable(each.unread for each in affected))
        reasons = () if is_confirmed else tuple(unread) or (CONDITIONAL,)
        signs_in = any(_has_password(each.start[1], facts) for each in affected)
        severity = None if signs_in else FindingSeverity.MEDIUM
        evidence: dict[str, Any] = {
            "statements": [
                {"policy": s.policy, "holder": s.holder, "statement": s.number + 1, "sid": s.sid}
                for s in statements
            ],
            "path": _path(opening),
        }
        if used := _used(arns, facts):
            evidence["used_by"] = used
        return RuleProblem(
            subject,
            evidence,
            severity=severity,
            cause=opening.key,
            related=(*_groups(subject, opening, facts), *arns)[:MAX_RELATED],
            affected=opening.total,
            reasons=reasons,
            fix=_fix(subject, opening),
        )


def _has_password(number: int, facts: AccountFacts) -> bool:
    credential = facts.credentials.get(number)
    return credential is not None and credential.has_password is not False


def _path(opening: OpeningStatements) -> list[dict[str, Any]]:
    """Return the steps of one of the paths, at most MAX_STEPS."""
    path = opening.affected[0].path
    steps = []
    for step in path.steps[:MAX_STEPS]:
        acts = [act.title.format(act.subject) for act in step.acts]
        becomes = step.becomes.arn if step.becomes else "administrator"
        steps.append({"who": step.who.arn, "does": acts, "becomes": becomes})
    return steps


def _used(arns: list[str], facts: AccountFacts) -> list[dict[str, str]]:
    """Return the principals that used the path according to CloudTrail, latest first."""
    paths = [facts.used_paths[arn] for arn in arns if arn in facts.used_paths]
    paths.sort(key=lambda path: path.last_at, reverse=True)
    return [{"arn": path.arn, "last": path.last_at.isoformat()} for path in paths[:MAX_USED]]


def _groups(subject: EntityFact | None, opening: OpeningStatements, facts: AccountFacts) -> tuple[str, ...]:
    """Return the ARNs of the groups through which affected users have the policy that opens the path.

    Its other holders, such as administrators, aren't affected.
    """
    if subject is None or subject.kind != Kind.POLICY:
        return ()
    groups = set(chain.from_iterable(facts.groups_of.get(each.start[1], ()) for each in opening.affected))
    return facts.arns(tuple(holder for holder in facts.holders.get(subject.id, ()) if holder in groups))


def _fix(subject: EntityFact | None, opening: OpeningStatements) -> FindingFix | None:
    if subject is None:
        return None
    return FindingFix(page="escalation", policy=opening.key)
