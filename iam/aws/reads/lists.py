"""The account-wide lists that the bulk answer lacks; each is complete, or raises AwsError."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

from iam.aws.errors import AwsError, ErrorKind, map_errors
from iam.aws.reads import decode
from iam.aws.reads.decode import Fields, moment, optional, optional_moment, text
from iam.aws.reads.pages import members, one, raw_pages
from iam.aws.records import (
    CallerIdentity,
    InstanceProfileRecord,
    OidcProviderRecord,
    PasswordPolicyRecord,
    RoleListing,
    SamlProviderRecord,
    ServerCertificateRecord,
    ServiceSpecificCredentialRecord,
    UserListing,
    VirtualMfaDeviceRecord,
)
from iam.aws.session import Aws

T = TypeVar("T")


def caller_identity(aws: Aws) -> CallerIdentity:
    """Whose credentials these are.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    with map_errors("sts:GetCallerIdentity"):
        answer = aws.sts.get_caller_identity()
    return CallerIdentity(account_id=answer["Account"], arn=answer["Arn"], user_id=answer["UserId"])


def confirm_account(aws: Aws) -> CallerIdentity:
    """The caller's identity, after making sure that it belongs to the account that `aws` was opened for.

    Raises AwsError (credentials) when it does not: the environment may hold another account's keys than
    yesterday.
    """
    identity = caller_identity(aws)
    if identity.account_id != aws.access.account_id:
        raise AwsError(
            f"The credentials belong to account {identity.account_id}, not to {aws.access.account_id}.",
            kind=ErrorKind.CREDENTIALS,
            action="sts:GetCallerIdentity",
            code="WrongAccount",
        )
    return identity


def list_users(aws: Aws) -> tuple[UserListing, ...]:
    """All users with when their password was last used."""
    return _read(aws, operation="ListUsers", tag="Users", build=_user)


def list_roles(aws: Aws) -> tuple[RoleListing, ...]:
    """All roles with maximum session duration and description."""
    return _read(aws, operation="ListRoles", tag="Roles", build=_role)


def list_virtual_mfa_devices(aws: Aws) -> tuple[VirtualMfaDeviceRecord, ...]:
    """All virtual MFA devices, those of the root user and of nobody included."""
    return _read(aws, operation="ListVirtualMFADevices", tag="VirtualMFADevices", build=_virtual_device)


def list_instance_profiles(aws: Aws) -> tuple[InstanceProfileRecord, ...]:
    """All instance profiles with the name of the role in each."""
    return _read(aws, operation="ListInstanceProfiles", tag="InstanceProfiles", build=_instance_profile)


def list_service_specific_credentials(aws: Aws) -> tuple[ServiceSpecificCredentialRecord, ...]:
    """The service-specific credentials of all users, in one call per page.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListServiceSpecificCredentials.html
    """
    found = members(
        aws,
        operation="ListServiceSpecificCredentials",
        key="ServiceSpecificCredentials",
        AllUsers=True,
        MaxItems=1000,
    )
    return tuple(
        ServiceSpecificCredentialRecord(
            credential_id=credential["ServiceSpecificCredentialId"],
            user_name=credential["UserName"],
            service_name=credential["ServiceName"],
            service_user_name=credential.get("ServiceUserName")
            or credential.get("ServiceCredentialAlias", ""),
            status=credential["Status"],
            created_at=credential["CreateDate"],
            expires_at=credential.get("ExpirationDate"),
        )
        for credential in found
    )


def list_server_certificates(aws: Aws) -> tuple[ServerCertificateRecord, ...]:
    """All server certificates that are kept in IAM."""
    found = members(
        aws, operation="ListServerCertificates", key="ServerCertificateMetadataList", MaxItems=1000
    )
    return tuple(
        ServerCertificateRecord(
            aws_id=certificate["ServerCertificateId"],
            name=certificate["ServerCertificateName"],
            path=certificate["Path"],
            arn=certificate["Arn"],
            uploaded_at=certificate.get("UploadDate"),
            expires_at=certificate.get("Expiration"),
        )
        for certificate in found
    )


def list_saml_providers(aws: Aws) -> tuple[SamlProviderRecord, ...]:
    """All SAML providers, each read in full (AWS allows 100 per account)."""
    providers = []
    for entry in one(aws, operation="ListSAMLProviders").get("SAMLProviderList", ()):
        detail = one(aws, operation="GetSAMLProvider", SAMLProviderArn=entry["Arn"])
        providers.append(
            SamlProviderRecord(
                arn=entry["Arn"],
                name=entry["Arn"].partition(":saml-provider/")[2],
                created_at=detail.get("CreateDate"),
                valid_until=detail.get("ValidUntil"),
                metadata_digest=hashlib.sha256(detail.get("SAMLMetadataDocument", "").encode()).hexdigest(),
                tags=tag_dictionary(detail.get("Tags", ())),
            )
        )
    return tuple(providers)


def list_oidc_providers(aws: Aws) -> tuple[OidcProviderRecord, ...]:
    """All OIDC providers, each read in full (AWS allows 100 per account)."""
    providers = []
    for entry in one(aws, operation="ListOpenIDConnectProviders").get("OpenIDConnectProviderList", ()):
        detail = one(aws, operation="GetOpenIDConnectProvider", OpenIDConnectProviderArn=entry["Arn"])
        providers.append(
            OidcProviderRecord(
                arn=entry["Arn"],
                url=detail.get("Url", ""),
                client_ids=tuple(detail.get("ClientIDList", ())),
                thumbprints=tuple(detail.get("ThumbprintList", ())),
                created_at=detail.get("CreateDate"),
                tags=tag_dictionary(detail.get("Tags", ())),
            )
        )
    return tuple(providers)


def account_summary(aws: Aws) -> dict[str, int]:
    """Counts and quotas by AWS's own names ("Users", "UsersQuota").

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
    """
    summary: dict[str, int] = one(aws, operation="GetAccountSummary")["SummaryMap"]
    return summary


def account_aliases(aws: Aws) -> tuple[str, ...]:
    """The account's alias, if it has one; AWS allows one."""
    return tuple(members(aws, operation="ListAccountAliases", key="AccountAliases"))


def password_policy(aws: Aws) -> PasswordPolicyRecord | None:
    """The password policy, or None when the account has AWS's default one."""
    try:
        policy = one(aws, operation="GetAccountPasswordPolicy")["PasswordPolicy"]
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise
    return PasswordPolicyRecord(
        minimum_length=policy.get("MinimumPasswordLength", 6),
        requires_symbols=policy.get("RequireSymbols", False),
        requires_numbers=policy.get("RequireNumbers", False),
        requires_uppercase=policy.get("RequireUppercaseCharacters", False),
        requires_lowercase=policy.get("RequireLowercaseCharacters", False),
        allows_change=policy.get("AllowUsersToChangePassword", False),
        expires=policy.get("ExpirePasswords", False),
        maximum_age=policy.get("MaxPasswordAge") or None,
        reuse_prevention=policy.get("PasswordReusePrevention") or None,
        hard_expiry=policy.get("HardExpiry", False),
    )


def tag_dictionary(tags: object) -> dict[str, str]:
    """botocore's list of Key and Value pairs as a dictionary."""
    return {tag["Key"]: tag["Value"] for tag in tags}  # type: ignore[attr-defined]


def _read(aws: Aws, *, operation: str, tag: str, build: Callable[[Fields], T]) -> tuple[T, ...]:
    action = f"iam:{operation}"
    found: list[T] = []
    for page in raw_pages(aws, operation=operation, tag=tag):
        found.extend(decode.build_all(page, build=build, action=action))
    return tuple(found)


def _user(fields: Fields) -> UserListing:
    return UserListing(
        aws_id=text(fields, "UserId"),
        name=text(fields, "UserName"),
        path=text(fields, "Path"),
        arn=text(fields, "Arn"),
        created_at=moment(text(fields, "CreateDate")),
        password_last_used=optional_moment(fields, "PasswordLastUsed"),
    )


def _role(fields: Fields) -> RoleListing:
    return RoleListing(
        aws_id=text(fields, "RoleId"),
        name=text(fields, "RoleName"),
        arn=text(fields, "Arn"),
        max_session_duration=int(optional(fields, "MaxSessionDuration") or 3600),
        description=optional(fields, "Description") or "",
    )


def _virtual_device(fields: Fields) -> VirtualMfaDeviceRecord:
    user: Fields = {child.tag: child for child in fields["User"]} if "User" in fields else {}
    return VirtualMfaDeviceRecord(
        serial_number=text(fields, "SerialNumber"),
        user_name=optional(user, "UserName"),
        user_arn=optional(user, "Arn"),
        user_id=optional(user, "UserId"),
        enabled_at=optional_moment(fields, "EnableDate"),
    )


def _instance_profile(fields: Fields) -> InstanceProfileRecord:
    return InstanceProfileRecord(
        aws_id=text(fields, "InstanceProfileId"),
        name=text(fields, "InstanceProfileName"),
        path=text(fields, "Path"),
        arn=text(fields, "Arn"),
        created_at=moment(text(fields, "CreateDate")),
        roles=tuple(sorted(role.findtext("RoleName") or "" for role in fields.get("Roles", ()))),
    )
