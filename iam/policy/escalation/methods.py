"""The methods by which a principal gets the permissions of another one, as data.

Compared with the lists of Rhino Security Labs ("AWS IAM Privilege Escalation Methods"), pathfinding.cloud and
Prowler ("privilege_escalation_policies_combination"). Source of the actions and resources that a call needs:
"Service Authorization Reference".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Final

from iam.policy.catalogue.pass_role import PassRoleMethod, pass_role_data
from iam.policy.escalation.method_types import WRITTEN, EdgeVerb, EscalationMethod, MethodNeed
from iam.policy.letter_case import fold


def _iam(name: str, sort: EdgeVerb, title: str, of: str, *actions: str) -> EscalationMethod:
    return EscalationMethod(name, sort, title, tuple(MethodNeed(f"iam:{action}") for action in actions), of)


def _written(method: EscalationMethod) -> EscalationMethod:
    """Return the method with a new policy, for cases in which only some policies can be attached."""
    title = method.title.replace("AdministratorAccess", "a new policy that allows everything")
    needs = (MethodNeed("iam:CreatePolicy", WRITTEN), *method.needs)
    return replace(method, name=f"{method.name}-new-policy", title=title, needs=needs)


def _rewritten(method: EscalationMethod) -> EscalationMethod:
    """Return the method with an attachable policy that the caller can change."""
    title = method.title.replace("AdministratorAccess", "a policy changed to allow everything")
    needs = (MethodNeed("iam:CreatePolicyVersion", WRITTEN), *method.needs)
    return replace(method, name=f"{method.name}-new-version", title=title, needs=needs)


PASS_ROLE: Final = MethodNeed("iam:PassRole")
TAKE_ROLE: Final = EscalationMethod("sts-assume-new-role", EdgeVerb.TAKE, "Assumes {0}", ())
ON_ITSELF: Final = (
    EscalationMethod("sts-assume-role", EdgeVerb.ASSUME, "Assumes role {0}", (MethodNeed("sts:AssumeRole"),)),
    _iam("iam-update-assume-role-policy", EdgeVerb.RETRUST,
        "Changes the trust policy of {0}, then assumes the role", "role", "UpdateAssumeRolePolicy"),
    _iam("iam-create-access-key", EdgeVerb.SIGN_IN, "Creates an access key for {0}", "user",
        "CreateAccessKey"),
    _iam("iam-create-login-profile", EdgeVerb.SIGN_IN, "Creates a console password for {0}", "user",
        "CreateLoginProfile"),
    _iam("iam-update-login-profile", EdgeVerb.SIGN_IN, "Resets the console password of {0}", "user",
        "UpdateLoginProfile"),
    _iam("iam-put-user-policy", EdgeVerb.GRANT, "Adds an inline policy to {0}", "user", "PutUserPolicy"),
    _iam("iam-attach-user-policy", EdgeVerb.GRANT, "Attaches AdministratorAccess to {0}", "user",
        "AttachUserPolicy"),
    _iam("iam-put-role-policy", EdgeVerb.GRANT, "Adds an inline policy to {0}", "role", "PutRolePolicy"),
    _iam("iam-attach-role-policy", EdgeVerb.GRANT, "Attaches AdministratorAccess to {0}", "role",
        "AttachRolePolicy"),
    _iam("iam-put-group-policy", EdgeVerb.GRANT, "Adds an inline policy to group {0}", "group",
        "PutGroupPolicy"),
    _iam("iam-attach-group-policy", EdgeVerb.GRANT, "Attaches AdministratorAccess to group {0}", "group",
        "AttachGroupPolicy"),
    _iam("iam-create-policy-version", EdgeVerb.GRANT, "Creates a new version of policy {0}", "policy",
        "CreatePolicyVersion"),
    _iam("iam-delete-user-permissions-boundary", EdgeVerb.UNBOUND, "Removes the permissions boundary of {0}",
        "user", "DeleteUserPermissionsBoundary"),
    _iam("iam-put-user-permissions-boundary",
        EdgeVerb.UNBOUND, "Sets a permissions boundary for {0} that allows everything", "user",
        "PutUserPermissionsBoundary"),
    _iam("iam-delete-role-permissions-boundary", EdgeVerb.UNBOUND, "Removes the permissions boundary of {0}",
        "role", "DeleteRolePermissionsBoundary"),
    _iam("iam-put-role-permissions-boundary",
        EdgeVerb.UNBOUND, "Sets a permissions boundary for {0} that allows everything", "role",
        "PutRolePermissionsBoundary"),
    _iam("iam-add-user-to-group", EdgeVerb.JOIN, "Joins group {0}", "group", "AddUserToGroup"),
    _iam("iam-set-default-policy-version", EdgeVerb.RESTORE, "Sets an older version of {0} as the default",
        "policy", "SetDefaultPolicyVersion"),
    _iam("iam-create-role-put",
        EdgeVerb.CREATE, "Creates a role, for example {0}, and adds an inline policy to it", "role",
        "CreateRole", "PutRolePolicy"),
    _iam("iam-create-role-attach",
        EdgeVerb.CREATE, "Creates a role, for example {0}, and attaches AdministratorAccess to it", "role",
        "CreateRole", "AttachRolePolicy"),
    _iam("iam-create-user-put",
        EdgeVerb.CREATE, "Creates a user, for example {0}, and adds an inline policy to it", "user",
        "CreateUser", "PutUserPolicy"),
    _iam("iam-create-user-attach",
        EdgeVerb.CREATE, "Creates a user, for example {0}, and attaches AdministratorAccess to it", "user",
        "CreateUser", "AttachUserPolicy"),
    _iam("iam-create-user", EdgeVerb.CREATE, "Creates a user, for example {0}", "user", "CreateUser"),
    TAKE_ROLE,
    _iam("iam-create-group-put",
        EdgeVerb.OWN, "Creates a group, for example {0}, adds an inline policy to it and joins it", "group",
        "CreateGroup", "PutGroupPolicy", "AddUserToGroup"),
    _iam("iam-create-group-attach",
        EdgeVerb.OWN, "Creates a group, for example {0}, attaches AdministratorAccess to it and joins it",
        "group", "CreateGroup", "AttachGroupPolicy", "AddUserToGroup"),
    _iam("iam-delete-user-policy", EdgeVerb.REMOVE, "Deletes the inline policy of {0} that denies access",
        "user", "DeleteUserPolicy"),
    _iam("iam-delete-role-policy", EdgeVerb.REMOVE, "Deletes the inline policy of {0} that denies access",
        "role", "DeleteRolePolicy"),
    _iam("iam-delete-group-policy",
        EdgeVerb.REMOVE, "Deletes the inline policy of group {0} that denies access", "group",
        "DeleteGroupPolicy"),
    _iam("iam-detach-user-policy", EdgeVerb.REMOVE, "Detaches the policy that denies access from {0}", "user",
        "DetachUserPolicy"),
    _iam("iam-detach-role-policy", EdgeVerb.REMOVE, "Detaches the policy that denies access from {0}", "role",
        "DetachRolePolicy"),
    _iam("iam-detach-group-policy", EdgeVerb.REMOVE, "Detaches the policy that denies access from group {0}",
        "group", "DetachGroupPolicy"),
    _iam("iam-tag-user", EdgeVerb.TAG, "Sets tags of {0} that policies require", "user", "TagUser"),
    _iam("iam-tag-role", EdgeVerb.TAG, "Sets tags of {0} that policies require", "role", "TagRole"),
    _iam("iam-remove-user-from-group", EdgeVerb.REMOVE, "Leaves group {0}, whose policies deny access",
        "group", "RemoveUserFromGroup"),
)  # fmt: skip
"""Methods with needs only on their target."""
ATTACHING: Final = tuple(
    chain.from_iterable(
        (_written(method), _rewritten(method))
        for method in ON_ITSELF
        if any(need.action.startswith("iam:Attach") for need in method.needs)
    )
)
"""Methods that attach a policy with content that the caller writes."""


def _of_service(source: PassRoleMethod) -> EscalationMethod:
    """Return a method from the catalogue's data."""
    own = tuple(MethodNeed(action, on) for action, on in source.needs)
    exists = source.exists
    if exists and not source.passes:
        exists = f"{exists} with this role"
    assumes = f"{exists} (not synced by Gatehouse)" if exists else ""
    if not source.passes:
        return EscalationMethod(
            source.name, EdgeVerb.EXISTING, source.title, own, trusted=source.trusted, assumes=assumes
        )
    return EscalationMethod(
        source.name,
        EdgeVerb.PASS,
        source.title,
        (PASS_ROLE, *own),
        service=source.service,
        trusted=source.trusted,
        assumes=assumes,
    )


EC2: Final = "ec2.amazonaws.com"
COGNITO: Final = "cognito-identity.amazonaws.com"
OF_SERVICES: Final = tuple(_of_service(source) for source in pass_role_data().methods)
"""Methods by which a service acts with a role."""
IN_USE: Final = "IAM Identity Center is in use (not synced by Gatehouse)"


def _sign_on(name: str, title: str, *needs: str) -> EscalationMethod:
    return EscalationMethod(
        name, EdgeVerb.SIGN_ON, title, tuple(map(_parsed_need, needs)), "account", assumes=IN_USE
    )


def _parsed_need(text: str) -> MethodNeed:
    action, _, on = text.partition(" ")
    return MethodNeed(action, on)


SIGN_ON: Final = (
    _sign_on("sso-create-permission-set", "Creates a permission set and assigns it in account {0}",
        "sso:CreatePermissionSet Instance", "sso:AttachManagedPolicyToPermissionSet PermissionSet",
        "sso:CreateAccountAssignment PermissionSet"),
    _sign_on("sso-create-permission-set-inline",
        "Creates a permission set with an inline policy and assigns it in account {0}",
        "sso:CreatePermissionSet Instance", "sso:PutInlinePolicyToPermissionSet PermissionSet",
        "sso:CreateAccountAssignment PermissionSet"),
    _sign_on("sso-attach-managed-policy",
        "Attaches AdministratorAccess to a permission set that is assigned in account {0}",
        "sso:AttachManagedPolicyToPermissionSet PermissionSet"),
    _sign_on("sso-attach-customer-policy",
        "Attaches a policy of account {0} to a permission set that is assigned there",
        "sso:AttachCustomerManagedPolicyReferenceToPermissionSet PermissionSet"),
    _sign_on("sso-put-inline-policy",
        "Sets the inline policy of a permission set that is assigned in account {0}",
        "sso:PutInlinePolicyToPermissionSet PermissionSet"),
    _sign_on("sso-account-assignment",
        "Assigns a permission set with more permissions to itself in account {0}",
        "sso:CreateAccountAssignment PermissionSet"),
    _sign_on("sso-remove-boundary",
        "Removes the permissions boundary of a permission set that is assigned in account {0}",
        "sso:DeletePermissionsBoundaryFromPermissionSet PermissionSet"),
    _sign_on("sso-replace-boundary",
        "Replaces the permissions boundary of a permission set that is assigned in account {0}",
        "sso:PutPermissionsBoundaryToPermissionSet PermissionSet"),
    _sign_on("sso-remove-inline-policy",
        "Removes the inline policy that limits a permission set that is assigned in account {0}",
        "sso:DeleteInlinePolicyFromPermissionSet PermissionSet"),
    _sign_on("sso-detach-managed-policy",
        "Detaches the managed policy that limits a permission set that is assigned in account {0}",
        "sso:DetachManagedPolicyFromPermissionSet PermissionSet"),
    _sign_on("sso-detach-customer-policy",
        "Detaches the policy of account {0} that limits a permission set that is assigned there",
        "sso:DetachCustomerManagedPolicyReferenceFromPermissionSet PermissionSet"),
    _sign_on("account-access-entitlement", "Assigns a role of account {0} to itself",
        "account-access:CreateEntitlement application"),
    _sign_on("identitystore-group-membership",
        "Joins a group of the directory that has access to account {0}",
        "identitystore:CreateGroupMembership Group"),
    _sign_on("sso-directory-group-membership",
        "Joins a group of the directory that has access to account {0}, in the console",
        "sso-directory:AddMemberToGroup"),
    _sign_on("sso-directory-password",
        "Resets the password of a directory user who has access to account {0}",
        "sso-directory:UpdatePassword"),
    _sign_on("sso-directory-email",
        "Changes the email address of a directory user who has access to account {0}",
        "sso-directory:UpdateUser"),
    _sign_on("identitystore-update-user",
        "Changes the email address or attributes of a directory user who has access to account {0}",
        "identitystore:UpdateUser User"),
    _sign_on("identitystore-create-user",
        "Creates a directory user and adds it to a group that has access to account {0}",
        "identitystore:CreateUser Identitystore", "identitystore:CreateGroupMembership Group"),
    _sign_on("sso-directory-create-user",
        "Creates a directory user and adds it to a group that has access to account {0}, in the console",
        "sso-directory:CreateUser", "sso-directory:AddMemberToGroup"),
    _sign_on("sso-identity-provider",
        "Connects IAM Identity Center to an identity provider of its own, "
        "whose users have access to account {0}",
        "sso-directory:EnableExternalIdPConfigurationForDirectory",
        "sso-directory:CreateExternalIdPConfigurationForDirectory"),
    _sign_on("sso-provisioning-token",
        "Creates a token that writes users and groups of the directory, who have access to account {0}",
        "sso-directory:CreateBearerToken"),
)  # fmt: skip
SAML: Final = "saml-provider"
OIDC: Final = "oidc-provider"
MISSING: Final = "The identity provider doesn’t exist yet (not synced by Gatehouse)"
CLIENT: Final = "The role’s conditions admit another application of the provider"
THUMBPRINT: Final = "The caller can answer for the provider’s address"


def _federated(name: str, title: str, action: str, on: str, assumes: str = "") -> EscalationMethod:
    return EscalationMethod(
        name, EdgeVerb.FEDERATE, title, (MethodNeed(f"iam:{action}", on),), assumes=assumes
    )


FEDERATION: Final = (
    _federated("iam-update-saml-provider",
        "Replaces the metadata of a SAML provider that {0} trusts, then signs in", "UpdateSAMLProvider",
        SAML),
    _federated("iam-create-saml-provider", "Creates the SAML provider that {0} trusts, then signs in",
        "CreateSAMLProvider", SAML, MISSING),
    _federated("iam-create-oidc-provider",
        "Creates the OpenID Connect provider that {0} trusts, then signs in",
        "CreateOpenIDConnectProvider", OIDC, MISSING),
    _federated("iam-add-client-id",
        "Adds an application of its own to the OpenID Connect provider that {0} trusts, then signs in",
        "AddClientIDToOpenIDConnectProvider", OIDC, CLIENT),
    _federated("iam-update-thumbprint",
        "Replaces the certificate thumbprint of the OpenID Connect provider that {0} trusts",
        "UpdateOpenIDConnectProviderThumbprint", OIDC, THUMBPRINT),
)  # fmt: skip
TRUSTED_ACCESS: Final = "Stack sets have trusted access to the organization (not synced by Gatehouse)"


def _in_member(name: str, title: str, *needs: str, assumes: str) -> EscalationMethod:
    own = tuple(map(_parsed_need, needs))
    return EscalationMethod(name, EdgeVerb.RECOVER, title, own, "account", assumes=assumes)


IN_MEMBERS: Final = (
    _in_member("account-root-email",
        "Changes the email address of the root user of account {0}, then resets its password",
        "account:StartPrimaryEmailUpdate accountInOrganization",
        "account:AcceptPrimaryEmailUpdate accountInOrganization",
        assumes="The root user of the account has no MFA device"),
    _in_member("stack-set-create",
        "Creates a CloudFormation stack set, which acts as administrator in account {0}",
        "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances stackset",
        assumes=TRUSTED_ACCESS),
    _in_member("stack-set-change",
        "Changes a CloudFormation stack set, which acts as administrator in account {0}",
        "cloudformation:UpdateStackSet stackset", assumes=TRUSTED_ACCESS),
)  # fmt: skip
"""By default, the role of a stack set in a member account has AdministratorAccess. Source: "Configure a
custom execution role template for StackSets" of CloudFormation.
"""
STANDALONE: Final = "The account has what AWS requires of a standalone account, such as a payment method"
DELEGATED: Final = (
    "The account is a delegated administrator of Organizations policies (not synced by Gatehouse)"
)


def _freeing_method(name: str, title: str, *needs: str, assumes: str = "") -> EscalationMethod:
    own = tuple(_parsed_need(f"organizations:{need}") for need in needs)
    return EscalationMethod(f"organizations-{name}", EdgeVerb.FREE, title, own, "account", assumes=assumes)


OF_SCPS: Final = (
    _freeing_method("detach-policy", "Detaches the SCPs that limit account {0}", "DetachPolicy policy"),
    _freeing_method("replace-policy", "Replaces the SCPs that limit account {0} with FullAWSAccess",
        "AttachPolicy policy", "DetachPolicy policy"),
    _freeing_method("update-policy", "Changes the SCPs that limit account {0} to allow everything",
        "UpdatePolicy policy"),
    _freeing_method("disable-policy-type", "Turns off SCPs in the organization of account {0}",
        "DisablePolicyType root"),
)  # fmt: skip
MANAGEMENT_FREEING: Final = (
    *OF_SCPS,
    _freeing_method("move-account",
        "Moves account {0} to the root of the organization, where no SCP limits it",
        "MoveAccount account"),
    _freeing_method("remove-account", "Removes account {0} from the organization, so that no SCP limits it",
        "RemoveAccountFromOrganization account", assumes=STANDALONE),
)  # fmt: skip
DELEGATED_FREEING: Final = tuple(replace(m, name=f"{m.name}-delegated", assumes=DELEGATED) for m in OF_SCPS)
"""The same methods from a member account that manages policies for the organization."""
LEAVING: Final = (
    _freeing_method("leave", "Leaves the organization with account {0}, so that no SCP limits it",
        "LeaveOrganization", assumes=STANDALONE),
)  # fmt: skip
TAGS: Final = {"user": "iam:TagUser", "role": "iam:TagRole"}
"""The actions that set tags, by entity type. Tags of policies aren't synced."""
TAGGED_SORTS: Final = (EdgeVerb.ASSUME, EdgeVerb.RETRUST, EdgeVerb.SIGN_IN, EdgeVerb.GRANT, EdgeVerb.UNBOUND)


def _retagged(method: EscalationMethod) -> EscalationMethod:
    """Return the method for statements that require tags on the target, which the caller can set."""
    title = f"Sets tags, then {fold(method.title[0])}{method.title[1:]}"
    needs = (MethodNeed(TAGS[method.of]), *method.needs)
    return replace(method, name=f"{method.name}-tagged", title=title, needs=needs, retags=True)


RETAGGED: Final = tuple(_retagged(m) for m in ON_ITSELF if m.sort in TAGGED_SORTS and m.of in TAGS)
METHODS: Final[tuple[EscalationMethod, ...]] = (
    *ON_ITSELF,
    *ATTACHING,
    *OF_SERVICES,
    *SIGN_ON,
    *FEDERATION,
    *IN_MEMBERS,
    *MANAGEMENT_FREEING,
    *DELEGATED_FREEING,
    *LEAVING,
    *RETAGGED,
)


def of_sort(sort: EdgeVerb, *, of: str = "", retags: bool = True) -> Iterator[EscalationMethod]:
    """Yield the methods with a verb, in order. `retags=False` leaves out those that set tags first."""
    return (
        method
        for method in METHODS
        if method.sort is sort and (not of or method.of == of) and (retags or not method.retags)
    )
