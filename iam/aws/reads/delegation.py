"""Delegation requests of AWS partners, and outbound federation: tokens that AWS signs for an account's
principals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from iam.aws.calls import invoke, part
from iam.aws.documents import decode_document
from iam.aws.errors import AwsError
from iam.aws.reads.pages import read_all
from iam.aws.session import Aws

OFF: Final = "FeatureDisabled"
PAGE_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class DelegationRequest:
    """A partner's request for temporary access to the account. `policy` is the text of the requested
    permissions, `session_duration` is in seconds, and `boundaries` are those of the roles that the partner
    can create. Messages, notes and redirect addresses are left out, because they can contain secrets.
    """

    request_id: str
    state: str
    requestor_id: str
    requestor_name: str
    description: str
    owner_arn: str
    approver_arn: str
    template_arn: str
    policy: str
    boundaries: tuple[str, ...]
    session_duration: int | None
    created_at: datetime | None
    updated_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutboundFederation:
    """Whether principals can get tokens that AWS signs for other services, and the issuer of those tokens."""

    is_enabled: bool
    issuer: str


def delegation_requests(aws: Aws) -> tuple[DelegationRequest, ...]:
    """Return the delegation requests of the account that have an owner, including finished ones.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListDelegationRequests.html
    """
    return read_all(
        aws, "ListDelegationRequests", key="DelegationRequests", build=_request, MaxItems=PAGE_SIZE
    )


def outbound_federation(aws: Aws) -> OutboundFederation:
    """Return whether outbound federation is enabled, with its issuer.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOutboundWebIdentityFederationInfo.html
    """
    action = "GetOutboundWebIdentityFederationInfo"
    try:
        answer = invoke(aws.iam, action, {})
    except AwsError as error:
        if error.code.removesuffix("Exception") == OFF:
            return OutboundFederation(is_enabled=False, issuer="")
        raise
    is_enabled = bool(part(answer, "JwtVendingEnabled", action=f"iam:{action}"))
    return OutboundFederation(is_enabled, str(answer.get("IssuerIdentifier") or ""))


def _request(request: dict[str, Any]) -> DelegationRequest:
    return DelegationRequest(
        request_id=request["DelegationRequestId"],
        state=request["State"],
        requestor_id=request.get("RequestorId", ""),
        requestor_name=request.get("RequestorName", ""),
        description=request.get("Description", ""),
        owner_arn=request.get("OwnerId", ""),
        approver_arn=request.get("ApproverId", ""),
        template_arn=request.get("Permissions", {}).get("PolicyTemplateArn", ""),
        policy=decode_document(request.get("PermissionPolicy", "")),
        boundaries=tuple(sorted(request.get("RolePermissionRestrictionArns", ()))),
        session_duration=request.get("SessionDuration"),
        created_at=request.get("CreateDate"),
        updated_at=request.get("UpdatedTime"),
        expires_at=request.get("ExpirationTime"),
    )
