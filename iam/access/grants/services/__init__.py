"""Actions on grants: plan, request, reduce, extend, shorten, end, retry and withdraw."""

from iam.access.grants.services.expiry import end_due_grants, end_grant
from iam.access.grants.services.large_requests import prepare_open, submit_grant
from iam.access.grants.services.new_end import (
    extend_grant,
    retry_failed,
    retry_part,
    shorten_grant,
    withdraw_grant,
)
from iam.access.grants.services.reconcile import settle
from iam.access.grants.services.reduction import plan_reduced, reduce_grant
from iam.access.grants.services.requests import plan_grant, request_grant
from iam.access.grants.services.revoke_sessions import request_cut
from iam.access.grants.services.rights import GrantRights, allowed

__all__ = [
    "GrantRights",
    "allowed",
    "end_due_grants",
    "end_grant",
    "extend_grant",
    "plan_grant",
    "plan_reduced",
    "prepare_open",
    "reduce_grant",
    "request_cut",
    "request_grant",
    "retry_failed",
    "retry_part",
    "settle",
    "shorten_grant",
    "submit_grant",
    "withdraw_grant",
]
