"""Decides a request as AWS does, from all policies that apply to it.

Source: "Policy evaluation logic" and the pages below it,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from iam.policy.aws_owned import owner_reason
from iam.policy.catalogue import catalogue
from iam.policy.compiled import PolicySet
from iam.policy.logic import NO, OPEN, YES
from iam.policy.request import SERVICE_LINKED_PATH, PrincipalKind, Request

ASSUMING: Final = frozenset(
    {
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:tagsession",
        "sts:setsourceidentity",
    }
)
"""Actions on a role that its trust policy must allow, even in the same account."""
FREE: Final = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})
"""Actions that need no permission and that no policy can deny. Source: the pages of the two actions in the
STS API Reference.
"""
WITHOUT_RCPS: Final = frozenset({"kms:retiregrant"})
"""Actions that RCPs don't restrict, although they restrict other actions of the service."""
BUCKET_POLICY: Final = frozenset({"s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy"})
GATEWAY_SERVICES: Final = frozenset({"s3", "dynamodb"})
"""Services that have gateway endpoints besides interface endpoints."""
ORGANIZATION_MEMBERS: Final = frozenset(
    {
        PrincipalKind.ROOT,
        PrincipalKind.USER,
        PrincipalKind.ROLE,
        PrincipalKind.SESSION,
        PrincipalKind.FEDERATED_USER,
    }
)


class EvaluationDecision(StrEnum):
    """The decision that AWS makes about a request; conditional if it depends on values that are unknown."""

    ALLOWED = "allowed"
    EXPLICITLY_DENIED = "explicitly_denied"
    IMPLICITLY_DENIED = "implicitly_denied"
    CONDITIONAL = "conditional"


@dataclass(slots=True)
class RequestPolicies:
    """The policies that apply to a request. None means that there is no such policy and it restricts nothing.

    `scps` and `rcps` are organization levels, the root first; each must allow. `rcp_services` are the
    services that RCPs apply to; None uses those in the catalogue.
    """

    identity: PolicySet
    boundary: PolicySet | None = None
    session: PolicySet | None = None
    resource: PolicySet | None = None
    scps: tuple[PolicySet, ...] = ()
    rcps: tuple[PolicySet, ...] = ()
    endpoint: PolicySet | None = None
    rcp_services: frozenset[str] | None = None


@dataclass(slots=True)
class EvaluationMarks:
    """The result of each kind of policy: NO, OPEN or YES. `denied` is the strongest deny of all."""

    denied: int = NO
    identity: int = NO
    boundary: int = YES
    session: int = YES
    account: int = NO
    role: int = NO
    direct: int = NO
    scps: int = YES
    rcps: int = YES
    endpoint: int = YES


def decide(request: Request, policies: RequestPolicies) -> EvaluationDecision:
    """Return the decision without its reasons; `iam.policy.explain` gives them."""
    if request.lowered in FREE:
        return EvaluationDecision.ALLOWED
    if owner_reason(request.lowered, request.resource):
        return EvaluationDecision.IMPLICITLY_DENIED
    return conclude(request, evaluate_each_kind(request, policies))


def conclude(request: Request, marks: EvaluationMarks) -> EvaluationDecision:
    """Return the decision that follows from all marks."""
    if marks.denied == YES:
        return EvaluationDecision.EXPLICITLY_DENIED
    allowed = combine(request, marks)
    if allowed == NO:
        return EvaluationDecision.IMPLICITLY_DENIED
    return (
        EvaluationDecision.ALLOWED
        if allowed == YES and marks.denied == NO
        else EvaluationDecision.CONDITIONAL
    )


def evaluate_each_kind(request: Request, policies: RequestPolicies) -> EvaluationMarks:
    """Evaluate each kind of policy."""
    marks = EvaluationMarks()
    marks.denied, marks.identity = policies.identity.judge(request)
    if policies.boundary is not None:
        denied, marks.boundary = policies.boundary.judge(request)
        marks.denied = max(marks.denied, denied)
    if policies.session is not None:
        denied, marks.session = policies.session.judge(request)
        marks.denied = max(marks.denied, denied)
    elif request.principal.kind is PrincipalKind.FEDERATED_USER:
        # Source: GetFederationToken in the STS API Reference: without session policies the session has no
        # permissions.
        marks.session = NO
    if policies.resource is not None:
        _weigh_resource(request, policies, policies.resource, marks)
    if policies.endpoint is not None:
        _weigh_endpoint(request, policies, policies.endpoint, marks)
    if policies.scps and has_scps(request):
        _weigh_levels(request, policies.scps, marks, "scps")
    if policies.rcps and has_rcps(request, policies):
        _weigh_levels(request, policies.rcps, marks, "rcps")
    return marks


def _weigh_resource(
    request: Request, policies: RequestPolicies, resource_policies: PolicySet, marks: EvaluationMarks
) -> None:
    is_bounded = policies.boundary is not None
    denied, marks.account, marks.role, marks.direct = resource_policies.judge_grades(
        request, is_bounded=is_bounded
    )
    if not is_never_locked_out(request):
        marks.denied = max(marks.denied, denied)


def _weigh_endpoint(
    request: Request, policies: RequestPolicies, endpoint_policies: PolicySet, marks: EvaluationMarks
) -> None:
    """At a gateway endpoint, a Principal that names an account matches only its root user. The endpoint's
    type is unknown, so a match by account is at most OPEN.

    Source: "Control access to VPC endpoints using endpoint policies", principals for gateway endpoints.
    """
    denied, account, role, direct = endpoint_policies.judge_grades(
        request, is_bounded=policies.boundary is not None
    )
    if request.lowered.partition(":")[0] in GATEWAY_SERVICES:
        account = min(account, OPEN)
    marks.endpoint = max(account, role, direct)
    marks.denied = max(marks.denied, denied)


def _weigh_levels(request: Request, levels: tuple[PolicySet, ...], marks: EvaluationMarks, name: str) -> None:
    least = YES
    for level in levels:
        denied, allowed = level.judge(request)
        marks.denied = max(marks.denied, denied)
        least = min(least, allowed)
    setattr(marks, name, least)


def has_scps(request: Request) -> bool:
    """Return True if SCPs apply to the principal. They restrict principals of member accounts, except
    service-linked roles, and don't affect the management account.
    """
    who = request.principal
    return (
        who.kind in ORGANIZATION_MEMBERS
        and not who.skips_organization_policies
        and not who.is_management_account
    )


def has_rcps(request: Request, policies: RequestPolicies) -> bool:
    """Return True if RCPs apply to the request. They protect resources of some services in all accounts
    except the management account, and don't restrict service-linked roles.

    Source: "Resource control policies (RCPs)", resources and entities not restricted by RCPs.
    """
    who, action = request.principal, request.lowered
    services = policies.rcp_services
    if services is None:
        services = catalogue().rcp_services
    if who.skips_organization_policies or action.partition(":")[0] not in services or action in WITHOUT_RCPS:
        return False
    if action in ASSUMING and SERVICE_LINKED_PATH in request.resource:
        return False
    return not (who.is_management_account and not request.is_cross_account)


def is_never_locked_out(request: Request) -> bool:
    """Return True for the root user of a bucket's account that reads or changes the bucket policy. No bucket
    policy can deny it this. Source: PutBucketPolicy, Amazon S3 API.
    """
    return (
        request.principal.kind is PrincipalKind.ROOT
        and request.lowered in BUCKET_POLICY
        and not request.is_cross_account
    )


def needs_resource_policy(request: Request) -> bool:
    """Return True if the resource's own policy must admit the caller, directly or through the account, as for
    roles and KMS keys.
    """
    resource = request.resource.split(":", 5)
    if len(resource) < 6:
        return request.lowered in ASSUMING
    if request.lowered in ASSUMING:
        # A federated user's session can also be tagged, and it has no trust policy.
        return not resource[5].startswith(("user/", "federated-user/"))
    return resource[2] == "kms" and resource[5].startswith("key/")


def combine(request: Request, marks: EvaluationMarks) -> int:
    """Return whether the allows are sufficient, NO, OPEN or YES. Denies are not considered."""
    kind = request.principal.kind
    by_resource = max(marks.account, marks.role, marks.direct)
    limits = min(marks.scps, marks.rcps, marks.endpoint)
    if kind in {PrincipalKind.SERVICE, PrincipalKind.PROVIDER, PrincipalKind.ANONYMOUS}:
        return min(by_resource, limits)
    if kind is PrincipalKind.ROOT:
        return min(_root(request, by_resource), limits)
    own = min(marks.identity, marks.boundary, marks.session)
    if request.is_cross_account:
        return min(own, by_resource, limits)
    if needs_resource_policy(request):
        own = min(own, by_resource)
    through_role = min(marks.role, marks.boundary, marks.session)
    return min(max(own, through_role, marks.direct), limits)


def _root(request: Request, by_resource: int) -> int:
    """Return the mark of the root user. It has every permission in its account, except on keys and roles
    whose own policy must admit it, and it can't assume roles.
    """
    if request.lowered == "sts:assumerole":
        return NO
    return by_resource if request.is_cross_account or needs_resource_policy(request) else YES


__all__ = [
    "NO",
    "OPEN",
    "YES",
    "EvaluationDecision",
    "EvaluationMarks",
    "RequestPolicies",
    "combine",
    "conclude",
    "decide",
    "evaluate_each_kind",
]
