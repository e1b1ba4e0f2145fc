"""What people do with changes: plan, ask, decide, withdraw, look again, undo."""

from iam.changes.services.decisions import approve, reject, standing_of
from iam.changes.services.planning import Plan, plan_membership
from iam.changes.services.policy_texts import plan_policy_text, request_policy_text
from iam.changes.services.requests import (
    look_again,
    request_change,
    request_changes,
    request_membership,
    withdraw,
)
from iam.changes.services.undoing import plan_undo, undo, why_not_undo

__all__ = [
    "Plan",
    "approve",
    "look_again",
    "plan_membership",
    "plan_policy_text",
    "plan_undo",
    "reject",
    "request_change",
    "request_changes",
    "request_membership",
    "request_policy_text",
    "standing_of",
    "undo",
    "why_not_undo",
    "withdraw",
]
