"""The operations that Gatehouse can carry out.

A class registers its operations in `REGISTRY` when it is defined, so a new module only has to be imported
here.
"""

from __future__ import annotations

from iam.changes.operations import (  # noqa: F401
    account_setting,
    boundary,
    former_version,
    instance_profile,
    login_profile,
    mfa_device,
    oidc_provider,
    one_time_credential,
    principals,
    public_key,
    role_sessions,
    saml_provider,
    server_certificate,
    service_linked_role,
    sign_in_session,
    tags,
    user_credential,
    virtual_mfa_device,
)
from iam.changes.operations.attachment import ATTACH_POLICY, DETACH_POLICY, Attachment
from iam.changes.operations.base import REGISTRY, Operation, class_of, restore
from iam.changes.operations.group_membership import ADD_TO_GROUP, REMOVE_FROM_GROUP, Membership
from iam.changes.operations.inline_policy import DeleteInlinePolicy, PutInlinePolicy
from iam.changes.operations.managed_policy import CreatePolicy, DeletePolicy
from iam.changes.operations.policy_version import CreatePolicyVersion, SetDefaultVersion

__all__ = [
    "ADD_TO_GROUP",
    "ATTACH_POLICY",
    "DETACH_POLICY",
    "REGISTRY",
    "REMOVE_FROM_GROUP",
    "Attachment",
    "CreatePolicy",
    "CreatePolicyVersion",
    "DeleteInlinePolicy",
    "DeletePolicy",
    "Membership",
    "Operation",
    "PutInlinePolicy",
    "SetDefaultVersion",
    "class_of",
    "restore",
]
