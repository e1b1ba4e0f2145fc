"""Would a recorded call be answered differently after a change of policies? Pure: requests and policies in,
a three-valued answer out.

A call is recorded with the answer that AWS gave. What the record does not tell (a resource, a condition key)
is open in the request, and so the answer can be undecided.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from iam.policy.compiled import PolicySet
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.logic import NO
from iam.policy.request import Request

DENIALS = frozenset({EvaluationDecision.EXPLICITLY_DENIED, EvaluationDecision.IMPLICITLY_DENIED})


class ReplayOutcome(StrEnum):
    """What a change does to a recorded call."""

    SAME = "same"
    DENIED = "denied"
    ALLOWED = "allowed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """Policies before and after a change, and the statements that are in one of them only."""

    before: RequestPolicies
    after: RequestPolicies
    changed: tuple[PolicySet, ...]


def replay(request: Request, change: PolicyChange, *, was_denied: bool) -> ReplayOutcome:
    """What becomes of one call that AWS allowed or denied (`was_denied`) when it was made.

    A call to which no changed statement applies stays as it is, whatever else is unknown. Where the policies
    of today already answer otherwise than AWS did, the difference is not one of this change.
    """
    if not _is_touched(request, change.changed):
        return ReplayOutcome.SAME
    after = decide(request, change.after)
    if after is EvaluationDecision.CONDITIONAL:
        return ReplayOutcome.UNDECIDED
    if (after in DENIALS) == was_denied:
        return ReplayOutcome.SAME
    before = decide(request, change.before)
    if before is not EvaluationDecision.CONDITIONAL and (before in DENIALS) == (after in DENIALS):
        return ReplayOutcome.SAME
    return ReplayOutcome.DENIED if after in DENIALS else ReplayOutcome.ALLOWED


def _is_touched(request: Request, changed: Iterable[PolicySet]) -> bool:
    """Whether a changed statement applies to the request, for sure or perhaps."""
    for policies in changed:
        if any(statement.applies(request) != NO for statement in policies.speaking_of(request.lowered)):
            return True
    return False
