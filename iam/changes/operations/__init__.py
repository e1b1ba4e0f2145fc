"""The operations that Gatehouse can carry out. A new class is listed here; a new spec of a class that is
there is listed by its class."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.access import PolicyRef
from iam.changes.operations.account_setting import Alias
from iam.changes.operations.attachment import ATTACH_POLICY, DETACH_POLICY, Attachment
from iam.changes.operations.base import (
    REGISTRY,
    AccessEffect,
    AwsCall,
    Image,
    Operation,
    class_of,
    register,
    restore,
)
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.operations.former_version import DeletePolicyVersion, RestorePolicyVersion, TakeBackVersion
from iam.changes.operations.group_membership import ADD_TO_GROUP, REMOVE_FROM_GROUP, Membership
from iam.changes.operations.inline_policy import DeleteInlinePolicy, PutInlinePolicy
from iam.changes.operations.instance_profile import (
    CreateInstanceProfile,
    DeleteInstanceProfile,
    ProfileAssociation,
    RoleInProfile,
)
from iam.changes.operations.login_profile import (
    CreateLoginProfile,
    DeleteLoginProfile,
    RequirePasswordChange,
    UpdateLoginProfile,
)
from iam.changes.operations.managed_policy import CreatePolicy, DeletePolicy
from iam.changes.operations.mfa_device import (
    DeactivateMfaDevice,
    DeleteMfaDevice,
    EnableMfaDevice,
    ResyncMfaDevice,
)
from iam.changes.operations.oidc_provider import (
    Client,
    CreateOidcProvider,
    DeleteOidcProvider,
    SetThumbprints,
)
from iam.changes.operations.one_time_credential import (
    CreateAccessKey,
    CreateServiceCredential,
    ResetServiceCredential,
)
from iam.changes.operations.password_policy import DeletePasswordPolicy, UpdatePasswordPolicy
from iam.changes.operations.policy_version import CreatePolicyVersion, SetDefaultVersion
from iam.changes.operations.principals import (
    CreateGroup,
    CreateRole,
    CreateUser,
    DeleteGroup,
    DeleteRole,
    DeleteUser,
    ReplaceTrustPolicy,
    UpdateGroup,
    UpdateRole,
    UpdateUser,
)
from iam.changes.operations.public_key import UploadCertificate, UploadSshKey
from iam.changes.operations.quotas import QuotaUse
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.operations.saml_provider import CreateSamlProvider, DeleteSamlProvider, UpdateSamlProvider
from iam.changes.operations.server_certificate import (
    DeleteServerCertificate,
    UpdateServerCertificate,
    UploadServerCertificate,
)
from iam.changes.operations.service_linked_role import CreateServiceLinkedRole, DeleteServiceLinkedRole
from iam.changes.operations.shown_calls import ShownCall, shown_calls
from iam.changes.operations.sign_in_session import LimitRoleSignIn, LimitUserSignIn
from iam.changes.operations.spec import OperationSpec
from iam.changes.operations.tags import SetTags
from iam.changes.operations.user_credential import DeleteCredential, SetStatus
from iam.changes.operations.virtual_mfa_device import CreateVirtualMfaDevice, DeleteSpareMfaDevice

__all__ = [
    "ADD_TO_GROUP",
    "ATTACH_POLICY",
    "DETACH_POLICY",
    "REGISTRY",
    "REMOVE_FROM_GROUP",
    "AccessEffect",
    "Attachment",
    "AwsCall",
    "CreatePolicy",
    "CreatePolicyVersion",
    "DeleteInlinePolicy",
    "DeletePolicy",
    "Image",
    "Membership",
    "Operation",
    "OperationSpec",
    "PolicyRef",
    "PutInlinePolicy",
    "QuotaUse",
    "SetDefaultVersion",
    "ShownCall",
    "class_of",
    "restore",
    "shown_calls",
]

# fmt: off
OPERATIONS: Final[tuple[type[Operation], ...]] = (
    CreateUser, UpdateUser, DeleteUser, CreateGroup, UpdateGroup, DeleteGroup, Membership,
    CreateRole, UpdateRole, DeleteRole, ReplaceTrustPolicy, RevokeSessions,
    CreateServiceLinkedRole, DeleteServiceLinkedRole,
    CreateInstanceProfile, DeleteInstanceProfile, RoleInProfile,
    ProfileAssociation,
    PutBoundary, DeleteBoundary, SetTags,
    CreatePolicy, DeletePolicy, CreatePolicyVersion, SetDefaultVersion,
    DeletePolicyVersion, RestorePolicyVersion, TakeBackVersion,
    Attachment, PutInlinePolicy, DeleteInlinePolicy,
    Alias, UpdatePasswordPolicy, DeletePasswordPolicy,
    CreateSamlProvider, UpdateSamlProvider, DeleteSamlProvider,
    CreateOidcProvider, DeleteOidcProvider, Client, SetThumbprints,
    UploadServerCertificate, UpdateServerCertificate, DeleteServerCertificate,
    CreateAccessKey, SetStatus, DeleteCredential, UploadSshKey, UploadCertificate,
    CreateServiceCredential, ResetServiceCredential,
    CreateLoginProfile, UpdateLoginProfile, RequirePasswordChange, DeleteLoginProfile,
    LimitRoleSignIn, LimitUserSignIn,
    CreateVirtualMfaDevice, EnableMfaDevice, ResyncMfaDevice,
    DeactivateMfaDevice, DeleteMfaDevice, DeleteSpareMfaDevice,
)
# fmt: on

register(OPERATIONS)
