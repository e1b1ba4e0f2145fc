"""Maps calls to resources of Terraform and CloudFormation, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ADD, REMOVE, SET, UNSET = "add", "remove", "set", "unset"
"""Whether a call adds or removes a whole resource, or sets or removes some of its properties."""


@dataclass(frozen=True, slots=True)
class IacForm:
    """A resource and its properties.

    `names` maps identifying properties to parameters of the call, `values` the properties that it sets. A
    parameter in brackets becomes a list item, one with `#` the name at the end of an ARN, and an empty one is
    not in the call.
    """

    act: str
    resource: str
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


_HOLDERS: Final = {"User": "user", "Group": "group", "Role": "role"}
_TAGGED: Final = {"User": "UserName", "Role": "RoleName"}

TERRAFORM: Final[dict[str, IacForm]] = {
    "AddUserToGroup": IacForm(
        ADD, "aws_iam_user_group_membership", {"user": "UserName"}, {"groups": "[GroupName]"}
    ),
    "RemoveUserFromGroup": IacForm(
        REMOVE, "aws_iam_user_group_membership", {"user": "UserName"}, {"groups": "[GroupName]"}
    ),
    "CreatePolicyVersion": IacForm(
        SET, "aws_iam_policy", {"name": "PolicyArn#"}, {"policy": "PolicyDocument"}
    ),
    "CreatePolicy": IacForm(
        ADD,
        "aws_iam_policy",
        {"name": "PolicyName"},
        {"path": "Path", "description": "Description", "policy": "PolicyDocument", "tags": "Tags"},
    ),
    "DeletePolicy": IacForm(REMOVE, "aws_iam_policy", {"name": "PolicyArn#"}),
    "UpdateAssumeRolePolicy": IacForm(
        SET, "aws_iam_role", {"name": "RoleName"}, {"assume_role_policy": "PolicyDocument"}
    ),
    "UpdateRole": IacForm(
        SET,
        "aws_iam_role",
        {"name": "RoleName"},
        {"description": "Description", "max_session_duration": "MaxSessionDuration"},
    ),
    "CreateUser": IacForm(
        ADD,
        "aws_iam_user",
        {"name": "UserName"},
        {"path": "Path", "permissions_boundary": "PermissionsBoundary", "tags": "Tags"},
    ),
    "DeleteUser": IacForm(REMOVE, "aws_iam_user", {"name": "UserName"}),
    "UpdateUser": IacForm(
        SET, "aws_iam_user", {"name": "UserName"}, {"name": "NewUserName", "path": "NewPath"}
    ),
    "CreateGroup": IacForm(ADD, "aws_iam_group", {"name": "GroupName"}, {"path": "Path"}),
    "DeleteGroup": IacForm(REMOVE, "aws_iam_group", {"name": "GroupName"}),
    "UpdateGroup": IacForm(
        SET, "aws_iam_group", {"name": "GroupName"}, {"name": "NewGroupName", "path": "NewPath"}
    ),
    "CreateRole": IacForm(
        ADD,
        "aws_iam_role",
        {"name": "RoleName"},
        {
            "path": "Path",
            "description": "Description",
            "assume_role_policy": "AssumeRolePolicyDocument",
            "max_session_duration": "MaxSessionDuration",
            "permissions_boundary": "PermissionsBoundary",
            "tags": "Tags",
        },
    ),
    "DeleteRole": IacForm(REMOVE, "aws_iam_role", {"name": "RoleName"}),
    "CreateInstanceProfile": IacForm(
        ADD, "aws_iam_instance_profile", {"name": "InstanceProfileName"}, {"path": "Path", "tags": "Tags"}
    ),
    "DeleteInstanceProfile": IacForm(REMOVE, "aws_iam_instance_profile", {"name": "InstanceProfileName"}),
    "AddRoleToInstanceProfile": IacForm(
        SET, "aws_iam_instance_profile", {"name": "InstanceProfileName"}, {"role": "RoleName"}
    ),
    "RemoveRoleFromInstanceProfile": IacForm(
        UNSET, "aws_iam_instance_profile", {"name": "InstanceProfileName"}, {"role": "RoleName"}
    ),
    "CreateAccountAlias": IacForm(ADD, "aws_iam_account_alias", {"account_alias": "AccountAlias"}),
    "DeleteAccountAlias": IacForm(REMOVE, "aws_iam_account_alias", {"account_alias": "AccountAlias"}),
    "CreateSAMLProvider": IacForm(
        ADD, "aws_iam_saml_provider", {"name": "Name"}, {"saml_metadata_document": "SAMLMetadataDocument"}
    ),
    "UpdateSAMLProvider": IacForm(
        SET,
        "aws_iam_saml_provider",
        {"name": "SAMLProviderArn#"},
        {"saml_metadata_document": "SAMLMetadataDocument"},
    ),
    "DeleteSAMLProvider": IacForm(REMOVE, "aws_iam_saml_provider", {"name": "SAMLProviderArn#"}),
    "CreateOpenIDConnectProvider": IacForm(
        ADD,
        "aws_iam_openid_connect_provider",
        {"url": "Url"},
        {"client_id_list": "ClientIDList", "thumbprint_list": "ThumbprintList", "tags": "Tags"},
    ),
    "DeleteOpenIDConnectProvider": IacForm(
        REMOVE, "aws_iam_openid_connect_provider", {"url": "OpenIDConnectProviderArn#"}
    ),
    "UpdateOpenIDConnectProviderThumbprint": IacForm(
        SET,
        "aws_iam_openid_connect_provider",
        {"url": "OpenIDConnectProviderArn#"},
        {"thumbprint_list": "ThumbprintList"},
    ),
    "AddClientIDToOpenIDConnectProvider": IacForm(
        SET,
        "aws_iam_openid_connect_provider",
        {"url": "OpenIDConnectProviderArn#"},
        {"client_id_list": "[ClientID]"},
    ),
    "RemoveClientIDFromOpenIDConnectProvider": IacForm(
        UNSET,
        "aws_iam_openid_connect_provider",
        {"url": "OpenIDConnectProviderArn#"},
        {"client_id_list": "[ClientID]"},
    ),
    "UpdateAccountPasswordPolicy": IacForm(
        ADD,
        "aws_iam_account_password_policy",
        {},
        {
            "minimum_password_length": "MinimumPasswordLength",
            "require_symbols": "RequireSymbols",
            "require_numbers": "RequireNumbers",
            "require_uppercase_characters": "RequireUppercaseCharacters",
            "require_lowercase_characters": "RequireLowercaseCharacters",
            "allow_users_to_change_password": "AllowUsersToChangePassword",
            "max_password_age": "MaxPasswordAge",
            "password_reuse_prevention": "PasswordReusePrevention",
            "hard_expiry": "HardExpiry",
        },
    ),
    "DeleteAccountPasswordPolicy": IacForm(REMOVE, "aws_iam_account_password_policy"),
    "CreateServiceLinkedRole": IacForm(
        ADD,
        "aws_iam_service_linked_role",
        {"aws_service_name": "AWSServiceName"},
        {"custom_suffix": "CustomSuffix", "description": "Description"},
    ),
    "DeleteServiceLinkedRole": IacForm(REMOVE, "aws_iam_service_linked_role", {"name": "RoleName"}),
    "DeleteServerCertificate": IacForm(
        REMOVE, "aws_iam_server_certificate", {"name": "ServerCertificateName"}
    ),
}
CLOUDFORMATION: Final[dict[str, IacForm]] = {
    "AddUserToGroup": IacForm(
        ADD, "AWS::IAM::UserToGroupAddition", {"GroupName": "GroupName"}, {"Users": "[UserName]"}
    ),
    "RemoveUserFromGroup": IacForm(
        REMOVE, "AWS::IAM::UserToGroupAddition", {"GroupName": "GroupName"}, {"Users": "[UserName]"}
    ),
    "CreatePolicyVersion": IacForm(
        SET,
        "AWS::IAM::ManagedPolicy",
        {"ManagedPolicyName": "PolicyArn#"},
        {"PolicyDocument": "PolicyDocument"},
    ),
    "CreatePolicy": IacForm(
        ADD,
        "AWS::IAM::ManagedPolicy",
        {"ManagedPolicyName": "PolicyName"},
        {"Path": "Path", "Description": "Description", "PolicyDocument": "PolicyDocument"},
    ),
    "DeletePolicy": IacForm(REMOVE, "AWS::IAM::ManagedPolicy", {"ManagedPolicyName": "PolicyArn#"}),
    "UpdateAssumeRolePolicy": IacForm(
        SET, "AWS::IAM::Role", {"RoleName": "RoleName"}, {"AssumeRolePolicyDocument": "PolicyDocument"}
    ),
    "UpdateRole": IacForm(
        SET,
        "AWS::IAM::Role",
        {"RoleName": "RoleName"},
        {"Description": "Description", "MaxSessionDuration": "MaxSessionDuration"},
    ),
    "CreateUser": IacForm(
        ADD,
        "AWS::IAM::User",
        {"UserName": "UserName"},
        {"Path": "Path", "PermissionsBoundary": "PermissionsBoundary", "Tags": "Tags"},
    ),
    "DeleteUser": IacForm(REMOVE, "AWS::IAM::User", {"UserName": "UserName"}),
    "UpdateUser": IacForm(
        SET, "AWS::IAM::User", {"UserName": "UserName"}, {"UserName": "NewUserName", "Path": "NewPath"}
    ),
    "CreateGroup": IacForm(ADD, "AWS::IAM::Group", {"GroupName": "GroupName"}, {"Path": "Path"}),
    "DeleteGroup": IacForm(REMOVE, "AWS::IAM::Group", {"GroupName": "GroupName"}),
    "UpdateGroup": IacForm(
        SET, "AWS::IAM::Group", {"GroupName": "GroupName"}, {"GroupName": "NewGroupName", "Path": "NewPath"}
    ),
    "CreateRole": IacForm(
        ADD,
        "AWS::IAM::Role",
        {"RoleName": "RoleName"},
        {
            "Path": "Path",
            "Description": "Description",
            "AssumeRolePolicyDocument": "AssumeRolePolicyDocument",
            "MaxSessionDuration": "MaxSessionDuration",
            "PermissionsBoundary": "PermissionsBoundary",
            "Tags": "Tags",
        },
    ),
    "DeleteRole": IacForm(REMOVE, "AWS::IAM::Role", {"RoleName": "RoleName"}),
    "CreateInstanceProfile": IacForm(
        ADD, "AWS::IAM::InstanceProfile", {"InstanceProfileName": "InstanceProfileName"}, {"Path": "Path"}
    ),
    "DeleteInstanceProfile": IacForm(
        REMOVE, "AWS::IAM::InstanceProfile", {"InstanceProfileName": "InstanceProfileName"}
    ),
    "AddRoleToInstanceProfile": IacForm(
        SET,
        "AWS::IAM::InstanceProfile",
        {"InstanceProfileName": "InstanceProfileName"},
        {"Roles": "[RoleName]"},
    ),
    "RemoveRoleFromInstanceProfile": IacForm(
        UNSET,
        "AWS::IAM::InstanceProfile",
        {"InstanceProfileName": "InstanceProfileName"},
        {"Roles": "[RoleName]"},
    ),
    "CreateSAMLProvider": IacForm(
        ADD, "AWS::IAM::SAMLProvider", {"Name": "Name"}, {"SamlMetadataDocument": "SAMLMetadataDocument"}
    ),
    "DeleteSAMLProvider": IacForm(REMOVE, "AWS::IAM::SAMLProvider", {"Name": "SAMLProviderArn#"}),
    "CreateOpenIDConnectProvider": IacForm(
        ADD,
        "AWS::IAM::OIDCProvider",
        {"Url": "Url"},
        {"ClientIdList": "ClientIDList", "ThumbprintList": "ThumbprintList", "Tags": "Tags"},
    ),
    "DeleteOpenIDConnectProvider": IacForm(
        REMOVE, "AWS::IAM::OIDCProvider", {"Url": "OpenIDConnectProviderArn#"}
    ),
}


_IN_NO_RESOURCE: Final = frozenset({"MaxSigninSessionDuration", "ResetMaxSigninSessionDuration"})
"""Parameters for which the resource has no property."""


def form_of(forms: Mapping[str, IacForm], operation: str, params: Mapping[str, Any]) -> IacForm | None:
    """The form of a call; None if no resource corresponds to it."""
    return None if _IN_NO_RESOURCE & params.keys() else forms.get(operation)


def given_by(params: Mapping[str, Any], name: str) -> Any:
    """The value of a call for a parameter in the notation of forms; None if it has none."""
    value = params.get(name.strip("[]#"))
    if not name.endswith("#") or not isinstance(value, str):
        return value
    if ":oidc-provider/" in value:
        return f"https://{value.partition(':oidc-provider/')[2]}"
    return value.rpartition("/")[2]


for _holder, _word in _HOLDERS.items():
    _named = f"{_holder}Name"
    TERRAFORM[f"Attach{_holder}Policy"] = IacForm(
        ADD, f"aws_iam_{_word}_policy_attachment", {_word: _named, "policy_arn": "PolicyArn"}
    )
    TERRAFORM[f"Detach{_holder}Policy"] = IacForm(
        REMOVE, f"aws_iam_{_word}_policy_attachment", {_word: _named, "policy_arn": "PolicyArn"}
    )
    TERRAFORM[f"Put{_holder}Policy"] = IacForm(
        ADD, f"aws_iam_{_word}_policy", {_word: _named, "name": "PolicyName"}, {"policy": "PolicyDocument"}
    )
    TERRAFORM[f"Delete{_holder}Policy"] = IacForm(
        REMOVE, f"aws_iam_{_word}_policy", {_word: _named, "name": "PolicyName"}
    )
    CLOUDFORMATION[f"Attach{_holder}Policy"] = IacForm(
        SET, f"AWS::IAM::{_holder}", {_named: _named}, {"ManagedPolicyArns": "[PolicyArn]"}
    )
    CLOUDFORMATION[f"Detach{_holder}Policy"] = IacForm(
        UNSET, f"AWS::IAM::{_holder}", {_named: _named}, {"ManagedPolicyArns": "[PolicyArn]"}
    )
    CLOUDFORMATION[f"Put{_holder}Policy"] = IacForm(
        ADD,
        f"AWS::IAM::{_holder}Policy",
        {_named: _named, "PolicyName": "PolicyName"},
        {"PolicyDocument": "PolicyDocument"},
    )
    CLOUDFORMATION[f"Delete{_holder}Policy"] = IacForm(
        REMOVE, f"AWS::IAM::{_holder}Policy", {_named: _named, "PolicyName": "PolicyName"}
    )
_OWN: Final = {
    "Policy": ("aws_iam_policy", "name", "PolicyArn#"),
    "InstanceProfile": ("aws_iam_instance_profile", "name", "InstanceProfileName"),
    "SAMLProvider": ("aws_iam_saml_provider", "name", "SAMLProviderArn#"),
    "OpenIDConnectProvider": ("aws_iam_openid_connect_provider", "url", "OpenIDConnectProviderArn#"),
    "ServerCertificate": ("aws_iam_server_certificate", "name", "ServerCertificateName"),
}
"""What can have tags besides users and roles: its resource, and the parameter that identifies it."""
for _what, (_resource, _name, _given) in _OWN.items():
    TERRAFORM[f"Tag{_what}"] = IacForm(SET, _resource, {_name: _given}, {"tags": "Tags"})
    TERRAFORM[f"Untag{_what}"] = IacForm(UNSET, _resource, {_name: _given}, {"tags": "TagKeys"})
for _holder, _named in _TAGGED.items():
    _resource, _type = f"aws_iam_{_holder.lower()}", f"AWS::IAM::{_holder}"
    TERRAFORM[f"Tag{_holder}"] = IacForm(SET, _resource, {"name": _named}, {"tags": "Tags"})
    TERRAFORM[f"Untag{_holder}"] = IacForm(UNSET, _resource, {"name": _named}, {"tags": "TagKeys"})
    TERRAFORM[f"Put{_holder}PermissionsBoundary"] = IacForm(
        SET, _resource, {"name": _named}, {"permissions_boundary": "PermissionsBoundary"}
    )
    TERRAFORM[f"Delete{_holder}PermissionsBoundary"] = IacForm(
        UNSET, _resource, {"name": _named}, {"permissions_boundary": ""}
    )
    CLOUDFORMATION[f"Tag{_holder}"] = IacForm(SET, _type, {_named: _named}, {"Tags": "Tags"})
    CLOUDFORMATION[f"Untag{_holder}"] = IacForm(UNSET, _type, {_named: _named}, {"Tags": "TagKeys"})
    CLOUDFORMATION[f"Put{_holder}PermissionsBoundary"] = IacForm(
        SET, _type, {_named: _named}, {"PermissionsBoundary": "PermissionsBoundary"}
    )
    CLOUDFORMATION[f"Delete{_holder}PermissionsBoundary"] = IacForm(
        UNSET, _type, {_named: _named}, {"PermissionsBoundary": ""}
    )
