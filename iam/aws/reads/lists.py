"""The account-wide lists that the bulk answer lacks; each is complete, or raises AwsError."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict
from operator import itemgetter
from typing import Any, TypeVar

from iam.aws.calls import build_all, invoke, part
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import decode
from iam.aws.reads.decode import Fields, moment, optional, optional_moment, text
from iam.aws.reads.pages import each, raw_pages, read_all, read_one
from iam.aws.records import (
    CallerIdentity,
    InstanceProfileRecord,
    OidcProviderRecord,
    PasswordPolicyRecord,
    RoleListing,
    SamlProviderRecord,
    ServerCertificateNow,
    ServerCertificateRecord,
    ServiceSpecificCredentialRecord,
    UserListing,
    VirtualMfaDeviceRecord,
)
from iam.aws.session import Aws

T = TypeVar("T")
WHO = "sts:GetCallerIdentity"


def caller_identity(aws: Aws) -> CallerIdentity:
    """Whose credentials these are.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    answer = invoke(aws.sts, "GetCallerIdentity", {})
    account_id, arn, user_id = (part(answer, key, action=WHO) for key in ("Account", "Arn", "UserId"))
    return CallerIdentity(account_id=account_id, arn=arn, user_id=user_id)


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
            action=WHO,
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
    return read_all(
        aws,
        "ListServiceSpecificCredentials",
        key="ServiceSpecificCredentials",
        build=service_credential,
        AllUsers=True,
        MaxItems=1000,
    )


def list_server_certificates(aws: Aws) -> tuple[ServerCertificateRecord, ...]:
    """All server certificates that are kept in IAM."""
    key = "ServerCertificateMetadataList"
    return read_all(aws, "ListServerCertificates", key=key, build=_server_certificate, MaxItems=1000)


def list_saml_providers(aws: Aws) -> tuple[SamlProviderRecord, ...]:
    """All SAML providers, each read in full (AWS allows 100 per account)."""
    arns = read_all(aws, "ListSAMLProviders", key="SAMLProviderList", build=itemgetter("Arn"))
    return tuple(provider for _, provider in each(aws, arns, lambda arn: get_saml_provider(aws, arn=arn)))


def get_saml_provider(aws: Aws, *, arn: str) -> SamlProviderRecord:
    """One SAML provider in full; AwsError (not_found) when there is none. One call."""
    return _saml_provider(arn, read_one(aws, "GetSAMLProvider", SAMLProviderArn=arn))


def list_oidc_providers(aws: Aws) -> tuple[OidcProviderRecord, ...]:
    """All OIDC providers, each read in full (AWS allows 100 per account)."""
    key = "OpenIDConnectProviderList"
    arns = read_all(aws, "ListOpenIDConnectProviders", key=key, build=itemgetter("Arn"))
    return tuple(provider for _, provider in each(aws, arns, lambda arn: get_oidc_provider(aws, arn=arn)))


def get_oidc_provider(aws: Aws, *, arn: str) -> OidcProviderRecord:
    """One OIDC provider in full; AwsError (not_found) when there is none. One call."""
    return _oidc_provider(arn, read_one(aws, "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn))


def get_server_certificate(aws: Aws, *, name: str) -> ServerCertificateNow:
    """One server certificate with its text and tags; AwsError (not_found) when there is none. One call."""
    certificate = read_one(aws, "GetServerCertificate", key="ServerCertificate", ServerCertificateName=name)
    action = "iam:GetServerCertificate"
    record = build_all(
        [part(certificate, "ServerCertificateMetadata", action=action)], _server_certificate, action=action
    )[0]
    return ServerCertificateNow(
        **asdict(record),
        body=part(certificate, "CertificateBody", action=action),
        chain=certificate.get("CertificateChain") or "",
        tags=tag_dictionary(certificate.get("Tags", ())),
    )


def account_summary(aws: Aws) -> dict[str, int]:
    """Counts and quotas by AWS's own names ("Users", "UsersQuota").

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
    """
    summary: dict[str, int] = read_one(aws, "GetAccountSummary", key="SummaryMap")
    return summary


def account_aliases(aws: Aws) -> tuple[str, ...]:
    """The account's alias, if it has one; AWS allows one."""
    return read_all(aws, "ListAccountAliases", key="AccountAliases", build=str)


def password_policy(aws: Aws) -> PasswordPolicyRecord | None:
    """The password policy, or None when the account has AWS's default one."""
    try:
        policy = read_one(aws, "GetAccountPasswordPolicy", key="PasswordPolicy")
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


def tag_dictionary(tags: Iterable[dict[str, str]]) -> dict[str, str]:
    """botocore's list of Key and Value pairs as a dictionary."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def _read(aws: Aws, *, operation: str, tag: str, build: Callable[[Fields], T]) -> tuple[T, ...]:
    records: list[T] = []
    for lists, _ in raw_pages(aws, operation, tags=(tag,)):
        records.extend(decode.build_all(lists[tag], build=build, action=f"iam:{operation}"))
    return tuple(records)


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
        max_sign_in_duration=int(optional(fields, "MaxSigninSessionDuration") or 0) or None,
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


def service_credential(credential: dict[str, Any]) -> ServiceSpecificCredentialRecord:
    """A member of the answer as a record; KeyError when it lacks what AWS always sends."""
    return ServiceSpecificCredentialRecord(
        credential_id=credential["ServiceSpecificCredentialId"],
        user_name=credential["UserName"],
        service_name=credential["ServiceName"],
        service_user_name=credential.get("ServiceUserName") or credential.get("ServiceCredentialAlias", ""),
        status=credential["Status"],
        created_at=credential["CreateDate"],
        expires_at=credential.get("ExpirationDate"),
    )


def _server_certificate(certificate: dict[str, Any]) -> ServerCertificateRecord:
    return ServerCertificateRecord(
        aws_id=certificate["ServerCertificateId"],
        name=certificate["ServerCertificateName"],
        path=certificate["Path"],
        arn=certificate["Arn"],
        uploaded_at=certificate.get("UploadDate"),
        expires_at=certificate.get("Expiration"),
    )


def _saml_provider(arn: str, detail: dict[str, Any]) -> SamlProviderRecord:
    document: str = part(detail, "SAMLMetadataDocument", action="iam:GetSAMLProvider")
    return SamlProviderRecord(
        arn=arn,
        name=arn.partition(":saml-provider/")[2],
        created_at=detail.get("CreateDate"),
        valid_until=detail.get("ValidUntil"),
        metadata=document,
        metadata_digest=hashlib.sha256(document.encode()).hexdigest(),
        tags=tag_dictionary(detail.get("Tags", ())),
    )


def _oidc_provider(arn: str, detail: dict[str, Any]) -> OidcProviderRecord:
    return OidcProviderRecord(
        arn=arn,
        url=part(detail, "Url", action="iam:GetOpenIDConnectProvider"),
        client_ids=tuple(detail.get("ClientIDList", ())),
        thumbprints=tuple(detail.get("ThumbprintList", ())),
        created_at=detail.get("CreateDate"),
        tags=tag_dictionary(detail.get("Tags", ())),
    )
