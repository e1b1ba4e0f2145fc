"""Someone is administrator because a policy allows every action of IAM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from iam.audit.findings.effect import administrators_by
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest, subject_of
from iam.audit.findings.holder_rules import SECTIONS, problem_of, problems_of_holders
from iam.audit.findings.models import AuditFinding, FindingSeverity
from iam.audit.findings.policy_fixes import detach_policies, is_aws_managed, text_of, without_actions
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.statements import (
    ANSWERS_KEPT,
    AllowStatement,
    allows,
    first,
    is_full,
    matches_action,
)
from iam.changes.operations import Operation
from iam.policy.escalation.administrators import DECISIVE
from iam.policy.glob import compile_glob

NAME_FIELD: Final = 5
"""The place of the name in an ARN."""
USER_AND_ROLE: Final = ("user/gatehouse-any-user", "role/gatehouse-any-role")


def _covers_iam(action: str) -> bool:
    return action == "*:*" or (action.endswith("*") and "iam:".startswith(action.removesuffix("*")))


def _is_wide(statement: AllowStatement) -> bool:
    """Return whether it is on everything, on everything but a list, or on all users and roles."""
    if statement.is_everything or "NotResource" in statement.body:
        return True
    return all(_is_on(statement, name) for name in USER_AND_ROLE)


def _is_on(statement: AllowStatement, name: str) -> bool:
    for pattern in statement.resources:
        fields = pattern.split(":", NAME_FIELD)
        if len(fields) > NAME_FIELD and compile_glob(fields[NAME_FIELD])(name):
            return True
    return False


def _gives_iam(statement: AllowStatement) -> bool:
    if statement.is_not or is_full(statement) or not _is_wide(statement):
        return False
    return any(map(_covers_iam, statement.actions))


def _decisive_in(statement: AllowStatement) -> frozenset[str]:
    """Return the decisive actions that it allows on all resources of their type."""
    if statement.is_not or is_full(statement):
        return frozenset()
    is_on_all = statement.is_everything or "NotResource" in statement.body
    decisive: list[str] = []
    for action, kind in DECISIVE:
        is_allowed = any(map(matches_action(action), statement.actions))
        if is_allowed and (is_on_all or _is_on(statement, f"{kind}/gatehouse-any-{kind}")):
            decisive.append(action)
    return frozenset(decisive)


def _is_decisive(action: str) -> bool:
    return any(matches_action(name)(action) for name, _ in DECISIVE)


@lru_cache(maxsize=ANSWERS_KEPT)
def _giving_by_list(text: str) -> AllowStatement | None:
    """Return the first of the statements that together allow every decisive action; None if they don't."""
    giving = [statement for statement in allows(text) if _decisive_in(statement)]
    every = frozenset(chain.from_iterable(map(_decisive_in, giving)))
    if len(every) < len(DECISIVE):
        return None
    return min(giving, key=lambda statement: statement.has_condition)


_remove = without_actions(_gives_iam, _covers_iam)
_remove_decisive = without_actions(lambda statement: bool(_decisive_in(statement)), _is_decisive)


def _remove_or_detach(finding: AuditFinding) -> Sequence[Operation]:
    policy = str(finding.evidence["policy"])
    if is_aws_managed(policy):
        return detach_policies(finding, [policy])
    is_by_name = first(text_of(subject_of(finding), policy), _gives_iam) is not None
    return _remove(finding) if is_by_name else _remove_decisive(finding)


class FullAccessToIam(FindingRule):
    """Separate from policies that allow everything, since such a policy is often taken for a small one.

    Statements that allow all actions that make an administrator, by their names or by shorter patterns, count
    as full access. An AWS managed policy is a finding for each user, group and role that has it.
    """

    kind = "full-access-to-iam"
    severity = FindingSeverity.MEDIUM
    title = "Administrator by full access to IAM"
    sentence = (
        "A policy that allows every action of IAM, or all that give permissions, makes someone administrator."
    )
    risk = "Anyone who has it can attach every other permission to themselves."
    remedy = "Name the actions of IAM that are needed, and the users, groups or roles that they are for."
    fix_request = FixRequest("Remove full access to IAM", _remove_or_detach)
    sections = SECTIONS

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for policy in facts.policies:
            text = facts.documents.get(policy.digest, "")
            statement = first(text, _gives_iam) or _giving_by_list(text)
            effect = administrators_by(policy, facts) if statement else None
            if statement is None or effect is None:
                continue
            if policy.is_aws_managed:
                yield from problems_of_holders(policy, statement, effect, facts)
            else:
                yield problem_of(policy, statement, effect, facts)
