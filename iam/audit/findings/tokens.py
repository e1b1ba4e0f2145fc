"""Finds who can get a token signed by AWS for any audience (outbound federation), with the fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from iam.audit.findings.fix_request import subject_of
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.policy_fixes import Statement, text_of, written
from iam.audit.findings.statements import AllowStatement, allows, is_full, matches_action
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.policy.condition import UnknownOperatorError, compile_condition
from iam.policy.letter_case import fold
from iam.policy.logic import NO
from iam.policy.request import Principal, Request
from iam.policy.statements import as_list

ACTION: Final = "sts:GetWebIdentityToken"
AUDIENCE_KEY: Final = "sts:IdentityTokenAudience"
AUDIENCE: Final = "https://audience.gatehouse.invalid"
"""An audience that no policy names."""
CONTEXT: Final = ((AUDIENCE_KEY, (AUDIENCE,)),)
DENIED: Final = {"Sid": "NoTokensOfAws", "Effect": "Deny", "Action": ACTION, "Resource": "*"}
AWS_WROTE_IT: Final = (
    "AWS wrote this policy, so it can only be detached. To keep it, attach a policy of your own that denies "
    "sts:GetWebIdentityToken for other audiences."
)
_fits: Final = matches_action(ACTION)
_ANYONE: Final = Principal("arn:aws:iam::111111111111:role/any")
_ASKED: Final = Request(ACTION, "*", _ANYONE, context=dict(CONTEXT))


def without_tokens(finding: AuditFinding) -> Sequence[Operation]:
    """Remove the action from statements that allow it for any audience. If a pattern allows it among other
    actions, deny it.
    """
    owner, name = subject_of(finding), str(finding.evidence["policy"])
    if ":iam::aws:" in owner.arn:
        raise RefusedError(AWS_WROTE_IT)
    text = text_of(owner, name)
    statements_by_number = {
        statement.number: statement for statement in allows(text) if gives_any_token(statement)
    }

    def edit(number: int, statement: Statement) -> Statement | None:
        if number not in statements_by_number or "NotAction" in statement:
            return statement
        kept = [action for action in as_list(statement["Action"]) if fold(str(action)) != fold(ACTION)]
        if len(kept) == len(as_list(statement["Action"])):
            return statement
        return {**statement, "Action": kept} if kept else None

    is_among_others = any(
        statement.is_not or _others(statement) for statement in statements_by_number.values()
    )
    more = [DENIED] if is_among_others else []
    return written(owner, name, edit, more=more)


def _others(statement: AllowStatement) -> bool:
    """True if a pattern allows tokens and other actions."""
    return any(_fits(action) and action != fold(ACTION) for action in statement.actions)


def gives_any_token(statement: AllowStatement) -> bool:
    """True if a statement allows tokens without a condition on their audience."""
    if is_full(statement) or not statement.is_everything:
        return False
    if any(map(_fits, statement.actions)) is statement.is_not:
        return False
    return not any(_limits(operator, tests) for operator, tests in _conditions(statement.body))


def _conditions(body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    block = body.get("Condition")
    for operator, tests in block.items() if isinstance(block, dict) else ():
        if isinstance(tests, dict):
            yield str(operator), tests


def _limits(operator: str, tests: dict[str, Any]) -> bool:
    """True if a condition refuses an audience that no policy names."""
    key = fold(AUDIENCE_KEY)
    tested = chain.from_iterable(as_list(tests[name]) for name in tests if fold(str(name)) == key)
    values = tuple(map(str, tested))
    return bool(values) and _refuses(operator, values)


@lru_cache(maxsize=1000)
def _refuses(operator: str, values: tuple[str, ...]) -> bool:
    try:
        condition = compile_condition(operator, AUDIENCE_KEY, values, has_variables=True)
    except UnknownOperatorError:
        return False
    return condition.test(_ASKED) == NO
