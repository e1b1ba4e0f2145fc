"""The account-wide lists that GetAccountAuthorizationDetails lacks. Each list is complete, or AwsError is
raised.
"""

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
    """Return the identity of the credentials.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    answer = invoke(aws.sts, "GetCallerIdentity", {})
    account_id, arn, user_id = (part(answer, key, action=WHO) for key in ("Account", "Arn", "UserId"))
    return CallerIdentity(account_id=account_id, arn=arn, user_id=user_id)


def confirm_account(aws: Aws) -> CallerIdentity:
    """Return the caller's identity after checking that it belongs to the account of `aws`.

    AwsError (credentials) if it does not: the environment can contain the keys of another account.
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
    """Return all users with the last use of their password."""
    return _read(aws, operation="ListUsers", tag="Users", build=_user)


def list_roles(aws: Aws) -> tuple[RoleListing, ...]:
    """Return all roles with maximum session duration and description."""
    return _read(aws, operation="ListRoles", tag="Roles", build=_role)


def list_virtual_mfa_devices(aws: Aws) -> tuple[VirtualMfaDeviceRecord, ...]:
    """Return all virtual MFA devices, including the root user's and unassigned ones."""
    return _read(aws, operation="ListVirtualMFADevices", tag="VirtualMFADevices", build=_virtual_device)


def list_instance_profiles(aws: Aws) -> tuple[InstanceProfileRecord, ...]:
    """Return all instance profiles with the names of their roles."""
    return _read(aws, operation="ListInstanceProfiles", tag="InstanceProfiles", build=_instance_profile)


def list_service_specific_credentials(aws: Aws) -> tuple[ServiceSpecificCredentialRecord, ...]:
    """Return the service-specific credentials of all users, in one call per page.
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
    """Return all server certificates that are stored in IAM."""
    key = "ServerCertificateMetadataList"
    return read_all(aws, "ListServerCertificates", key=key, build=_server_certificate, MaxItems=1000)


def list_saml_providers(aws: Aws) -> tuple[SamlProviderRecord, ...]:
    """Return all SAML providers in full, with one call for each (AWS allows 100 per account)."""
    arns = read_all(aws, "ListSAMLProviders", key="SAMLProviderList", build=itemgetter("Arn"))
    return tuple(provider for _, provider in each(aws, arns, lambda arn: get_saml_provider(aws, arn=arn)))


def get_saml_provider(aws: Aws, *, arn: str) -> SamlProviderRecord:
    """Return a SAML provider in full. AwsError (not_found) if it does not exist. One call."""
    return _saml_provider(arn, read_one(aws, "GetSAMLProvider", SAMLProviderArn=arn))


def list_oidc_providers(aws: Aws) -> tuple[OidcProviderRecord, ...]:
    """Return all OIDC providers in full, with one call for each (AWS allows 100 per account)."""
    key = "OpenIDConnectProviderList"
    arns = read_all(aws, "ListOpenIDConnectProviders", key=key, build=itemgetter("Arn"))
    return tuple(provider for _, provider in each(aws, arns, lambda arn: get_oidc_provider(aws, arn=arn)))


def get_oidc_provider(aws: Aws, *, arn: str) -> OidcProviderRecord:
    """Return an OIDC provider in full. AwsError (not_found) if it does not exist. One call."""
    return _oidc_provider(arn, read_one(aws, "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn))


def get_server_certificate(aws: Aws, *, name: str) -> ServerCertificateNow:
    """Return a server certificate with its text and tags. AwsError (not_found) if it does not exist. One
    call.
    """
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
    """Return counts and quotas by their AWS names ("Users", "UsersQuota").
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
    """
    summary: dict[str, int] = read_one(aws, "GetAccountSummary", key="SummaryMap")
    return summary


def account_aliases(aws: Aws) -> tuple[str, ...]:
    """Return the account's aliases. AWS allows at most one."""
    return read_all(aws, "ListAccountAliases", key="AccountAliases", build=str)


def password_policy(aws: Aws) -> PasswordPolicyRecord | None:
    """Return the password policy, or None if the account uses AWS's default."""
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
    """Convert botocore's list of Key and Value pairs to a dictionary."""
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
    """Convert a member of the response to a record. KeyError if it lacks a field that AWS always sends."""
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
