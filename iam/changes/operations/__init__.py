"""The operations that Gatehouse can carry out, each by its slug; a new one is added here by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iam.changes.operations.account_wide import ACCOUNT_WIDE
from iam.changes.operations.attachment import AttachPolicy, DetachPolicy
from iam.changes.operations.base import Call, Effect, Image, Operation, Policy, Quota, ShownCall, shown_calls
from iam.changes.operations.credentials import CREDENTIALS
from iam.changes.operations.group_membership import AddToGroup, RemoveFromGroup
from iam.changes.operations.inline_policy import DeleteInlinePolicy, PutInlinePolicy
from iam.changes.operations.managed_policy import CreatePolicy, DeletePolicy
from iam.changes.operations.policies import POLICIES
from iam.changes.operations.policy_version import CreatePolicyVersion, SetDefaultVersion
from iam.changes.operations.principals import PRINCIPALS
from iam.mirror.models import Account

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
    "restore",
    "shown_calls",
]

REGISTRY: dict[str, type[Operation]] = {
    AddToGroup.slug: AddToGroup,
    RemoveFromGroup.slug: RemoveFromGroup,
    CreatePolicyVersion.slug: CreatePolicyVersion,
    SetDefaultVersion.slug: SetDefaultVersion,
    **{one.slug: one for one in POLICIES},
    **{one.slug: one for one in ACCOUNT_WIDE},
    **{one.slug: one for one in PRINCIPALS},
    **{one.slug: one for one in CREDENTIALS},
}


def restore(slug: str, *, account: Account, params: Mapping[str, Any]) -> Operation:
    """The operation that a row holds. Raises KeyError for a slug and TypeError for params that this version does not know."""
    return REGISTRY[slug].from_params(account, params)
