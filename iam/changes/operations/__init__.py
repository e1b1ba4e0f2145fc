"""The operations that Gatehouse can carry out, each by its slug; a new one is added here by hand."""

from __future__ import annotations

from iam.changes.operations.account_wide import ACCOUNT_WIDE
from iam.changes.operations.attachment import AttachPolicy, DetachPolicy
from iam.changes.operations.base import (
    REGISTRY,
    Call,
    Effect,
    Image,
    Operation,
    Policy,
    Quota,
    class_of,
    register,
    restore,
)
from iam.changes.operations.credentials import CREDENTIALS
from iam.changes.operations.group_membership import AddToGroup, RemoveFromGroup
from iam.changes.operations.inline_policy import DeleteInlinePolicy, PutInlinePolicy
from iam.changes.operations.managed_policy import CreatePolicy, DeletePolicy
from iam.changes.operations.policies import POLICIES
from iam.changes.operations.policy_version import CreatePolicyVersion, SetDefaultVersion
from iam.changes.operations.principals import PRINCIPALS
from iam.changes.operations.shown_calls import ShownCall, shown_calls

__all__ = [
    "REGISTRY",
    "AddToGroup",
    "AttachPolicy",
    "Call",
    "CreatePolicy",
    "CreatePolicyVersion",
    "DeleteInlinePolicy",
    "DeletePolicy",
    "DetachPolicy",
    "Effect",
    "Image",
    "Operation",
    "Policy",
    "PutInlinePolicy",
    "Quota",
    "RemoveFromGroup",
    "SetDefaultVersion",
    "ShownCall",
    "class_of",
    "restore",
    "shown_calls",
]

register((AddToGroup, RemoveFromGroup, CreatePolicyVersion, SetDefaultVersion))
register(POLICIES)
register(ACCOUNT_WIDE)
register(PRINCIPALS)
register(CREDENTIALS)
