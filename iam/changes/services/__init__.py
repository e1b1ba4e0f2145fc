"""Actions on changes: plan, request, decide, withdraw, check again and undo."""

from iam.changes.services.break_glass_use import (
    break_glass,
    may_break_glass,
    review,
    to_review,
    why_not_review,
)
from iam.changes.services.comments import comment, may_comment
from iam.changes.services.decisions import approve, reject, standing_of
from iam.changes.services.earlier_end import shorten
from iam.changes.services.plans import ChangePlan, plan, plan_membership, plan_set
from iam.changes.services.policy_texts import plan_policy_text, request_policy_text
from iam.changes.services.requests import (
    SetCause,
    SetLane,
    WeighedRequest,
    check_request,
    examine,
    look_again,
    request_change,
    request_changes,
    request_membership,
    withdraw,
)
from iam.changes.services.undo_requests import (
    plan_undo,
    plan_undo_of,
    undo,
    undo_several,
    why_not_undo,
    why_not_undo_each,
)

__all__ = [
    "ChangePlan",
    "SetCause",
    "SetLane",
    "WeighedRequest",
    "approve",
    "break_glass",
    "check_request",
    "comment",
    "examine",
    "look_again",
    "may_break_glass",
    "may_comment",
    "plan",
    "plan_membership",
    "plan_policy_text",
    "plan_set",
    "plan_undo",
    "plan_undo_of",
    "reject",
    "request_change",
    "request_changes",
    "request_membership",
    "request_policy_text",
    "review",
    "shorten",
    "standing_of",
    "to_review",
    "undo",
    "undo_several",
    "why_not_review",
    "why_not_undo",
    "why_not_undo_each",
    "withdraw",
]
