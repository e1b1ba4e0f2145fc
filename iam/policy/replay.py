"""Tests whether a recorded call would get a different answer after a change of policies.

A call is recorded with AWS's answer. What the record lacks (a resource, a condition key) is open in the
request, so the result can be undecided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from iam.policy.compiled import CompiledStatement, PolicySet
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.logic import NO, OPEN, YES
from iam.policy.request import Request

DENIALS = frozenset({EvaluationDecision.EXPLICITLY_DENIED, EvaluationDecision.IMPLICITLY_DENIED})
UNLIMITED = (NO, YES)
"""The marks of an absent boundary: it denies nothing and allows everything."""


class ReplayOutcome(StrEnum):
    """The effect of a change on a recorded call."""

    SAME = "same"
    DENIED = "denied"
    ALLOWED = "allowed"
    UNDECIDED = "undecided"
    DENIED_ALREADY = "denied_already"
    """AWS allowed the call, but today's policies deny it, with or without the change."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """Policies before and after a change, and the identity statements that only one side has. A limit
    (boundary, SCP) that is the same object on both sides is unchanged.
    """

    before: RequestPolicies
    after: RequestPolicies
    changed: tuple[PolicySet, ...]


def replay(
    request: Request, change: PolicyChange, *, was_denied: bool, becomes: Request | None = None
) -> ReplayOutcome:
    """Return the effect of a change on a call that AWS allowed or denied (`was_denied`). `becomes` is the
    request after the change, if its principal then has other tags or another name.

    A call to which no changed statement applies gives SAME, whatever else is unknown. If today's policies
    already answer differently than AWS did, the difference isn't due to this change.
    """
    is_touched = (
        becomes is not None
        or _applies(request, change.changed)
        or _limit_differs(request, change.before, change.after)
    )
    if not is_touched:
        return ReplayOutcome.SAME
    after = decide(becomes or request, change.after)
    if after is EvaluationDecision.CONDITIONAL:
        return ReplayOutcome.UNDECIDED
    if (after in DENIALS) == was_denied:
        return ReplayOutcome.SAME
    before = decide(request, change.before)
    if before is not EvaluationDecision.CONDITIONAL and (before in DENIALS) == (after in DENIALS):
        return ReplayOutcome.DENIED_ALREADY if after in DENIALS else ReplayOutcome.SAME
    return ReplayOutcome.DENIED if after in DENIALS else ReplayOutcome.ALLOWED


def open_keys(request: Request, policies: RequestPolicies) -> tuple[str, ...]:
    """Return the condition keys that the answer depends on and the request lacks, as policies write them."""
    sets = [policies.identity, *filter(None, (policies.boundary, policies.resource))]
    keys: dict[str, None] = {}
    for policy_set in (*sets, *policies.scps, *policies.rcps):
        for statement in policy_set.speaking_of(request.lowered):
            keys.update(dict.fromkeys(_open_keys_of(statement, request)))
    return tuple(keys)


def _open_keys_of(statement: CompiledStatement, request: Request) -> Iterator[str]:
    if statement.applies(request) == OPEN:
        for condition in statement.conditions:
            if condition.test(request) == OPEN:
                yield condition.key


def _applies(request: Request, changed: Iterable[PolicySet]) -> bool:
    for policies in changed:
        if any(statement.applies(request) != NO for statement in policies.speaking_of(request.lowered)):
            return True
    return False


def _limit_differs(request: Request, before: RequestPolicies, after: RequestPolicies) -> bool:
    """Return True if a limit has different results before and after. Two OPEN results can have different
    reasons.
    """
    limits = [(before.boundary, after.boundary), *zip_longest(before.scps, after.scps)]
    for was, becomes in limits:
        if was is becomes:
            continue
        marks_before = UNLIMITED if was is None else was.judge(request)
        marks_after = UNLIMITED if becomes is None else becomes.judge(request)
        if marks_before != marks_after or OPEN in marks_after:
            return True
    return False
