"""Would a recorded call be answered differently after a change of policies? Pure: requests and policies in,
a three-valued answer out.

A call is recorded with the answer that AWS gave. What the record does not tell (a resource, a condition key)
is open in the request, and so the answer can be undecided.
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
"""What the absence of a boundary says: it denies nothing, and all is within it."""


class ReplayOutcome(StrEnum):
    """What a change does to a recorded call."""

    SAME = "same"
    DENIED = "denied"
    ALLOWED = "allowed"
    UNDECIDED = "undecided"
    DENIED_ALREADY = "denied_already"
    """AWS allowed it then, but the policies of today deny it, with the change and without."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """Policies before and after a change, and the identity statements that are in one of them only. A limit
    (boundary, SCP) that is the same object before and after is one that the change leaves alone.
    """

    before: RequestPolicies
    after: RequestPolicies
    changed: tuple[PolicySet, ...]


def replay(
    request: Request, change: PolicyChange, *, was_denied: bool, becomes: Request | None = None
) -> ReplayOutcome:
    """What becomes of one call that AWS allowed or denied (`was_denied`) when it was made; `becomes` is the
    request after the change, where its principal has other tags or another name then.

    A call to which no changed statement applies stays as it is, whatever else is unknown. Where the policies
    of today already answer otherwise than AWS did, the difference is not one of this change.
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
    """The condition keys on which the answer depends and which the request does not tell, as policies write
    them.
    """
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
    """Two limits that are both open may be so for different reasons."""
    limits = [(before.boundary, after.boundary), *zip_longest(before.scps, after.scps)]
    for was, becomes in limits:
        if was is becomes:
            continue
        marks_before = UNLIMITED if was is None else was.judge(request)
        marks_after = UNLIMITED if becomes is None else becomes.judge(request)
        if marks_before != marks_after or OPEN in marks_after:
            return True
    return False
