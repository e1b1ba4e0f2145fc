"""Checks whether a caller can make a call (signature, identity policies, boundary, SCPs), and who can assume
a role.

Off by default, except for role trust, which is always checked.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.iam.models import iam_backends

from console.demo.standin import callers
from console.demo.standin.calls import StandinCall, StandinCaller
from console.demo.standin.errors import StandinRefusedError
from console.demo.standin.evaluate import ALLOWED, EXPLICIT_DENY, AuthorizationQuestion, decide
from console.demo.standin.iam.extras import user_extras
from console.demo.standin.organizations import organisation_id, policies_above
from console.demo.standin.targets import context_of, resource_of

ALWAYS_ALLOWED = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})


def check_signature(
    call: StandinCall, *, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    """Raise StandinRefusedError unless the request was signed with the secret that belongs to its
    access key.
    """
    known = callers.secret_of(call.caller)
    if known is None:
        raise StandinRefusedError(
            "InvalidClientTokenId", "The security token included in the request is invalid."
        )
    secret, token = known
    if token is not None and not hmac.compare_digest(headers.get("x-amz-security-token", ""), token):
        raise StandinRefusedError(
            "InvalidClientTokenId", "The security token included in the request is invalid."
        )
    authorization = headers.get("authorization", "")
    parts = dict(
        part.strip().split("=", 1) for part in authorization.partition(" ")[2].split(",") if "=" in part
    )
    signed = parts.get("SignedHeaders", "").split(";")
    request = AWSRequest(
        method=method,
        url=f"http://{headers.get('host', '')}{path}" + (f"?{query}" if query else ""),
        data=body,
        headers={name: headers.get(name, "") for name in signed},
    )
    request.context["timestamp"] = headers.get("x-amz-date", "")
    auth = SigV4Auth(Credentials(call.caller.access_key_id, secret, token), call.service, call.region)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    if not hmac.compare_digest(expected, parts.get("Signature", "")):
        raise StandinRefusedError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS "
            "Secret "
            "Access Key and signing method. Consult the service documentation for details.",
        )


def check_permission(call: StandinCall) -> None:
    """Raise AccessDenied (StandinRefusedError) unless the caller's policies, boundary and the SCPs above
    allow the call.
    """
    action = f"{call.service}:{call.action}"
    if action in ALWAYS_ALLOWED:
        return
    question = AuthorizationQuestion(
        action, resource_of(call), context_of(call, organisation=organisation_id())
    )
    verdict, reason = judge(call.caller, question)
    if verdict != ALLOWED:
        raise denied(call.caller, question, reason)


def judge(caller: StandinCaller, question: AuthorizationQuestion) -> tuple[str, str]:
    """Return (verdict, reason) from all policies that apply to the caller."""
    principal = principal_of(caller)
    if principal is None:
        return EXPLICIT_DENY, "because no identity-based policy allows the action"
    identity, boundary = principal
    for level in policies_above(caller.account, kind="SERVICE_CONTROL_POLICY"):
        if (verdict := decide(level, question)) != ALLOWED:
            return verdict, "with an explicit deny in a service control policy"
    if boundary is not None and (verdict := decide([boundary], question)) != ALLOWED:
        return verdict, "because no permissions boundary allows the action"
    verdict = decide(identity, question)
    explicit = "with an explicit deny in an identity-based policy"
    return (
        verdict,
        explicit if verdict == EXPLICIT_DENY else "because no identity-based policy allows the action",
    )


def denied(caller: StandinCaller, question: AuthorizationQuestion, reason: str) -> StandinRefusedError:
    """Return AWS's AccessDenied error, which names the action, the resource and the type of policy."""
    return StandinRefusedError(
        "AccessDenied",
        f"User: {caller.arn} is not authorized to perform: {question.action} on resource: "
        f"{question.resource} {reason}",
    )


def principal_of(caller: StandinCaller) -> tuple[list[str], str | None] | None:
    """Return (identity policies including those of groups, boundary) as documents; None if the principal
    doesn’t exist.
    """
    backend = iam_backends[caller.account]["aws"]
    if caller.kind == "AssumedRole":
        role = next((r for r in backend.roles.values() if r.arn == caller.role_arn), None)
        return (
            None
            if role is None
            else (documents_of([role]), document_at(backend, role.permissions_boundary_arn))
        )
    user = backend.users.get(caller.user_name)
    if user is None:
        return None
    groups = [group for group in backend.groups.values() if user in group.users]
    return documents_of([user, *groups]), document_at(backend, user_extras(user).boundary)


def documents_of(entities: Iterable[Any]) -> list[str]:
    """Return the inline policies and the default versions of the attached policies of these entities."""
    texts: list[str] = []
    for entity in entities:
        texts += entity.policies.values()
        texts += [default_document(policy) for policy in entity.managed_policies.values()]
    return texts


def document_at(backend: Any, arn: str | None) -> str | None:
    """Return the default version of a managed policy. A boundary that no longer exists allows nothing."""
    if arn is None:
        return None
    policy = backend.managed_policies.get(arn)
    return default_document(policy) if policy is not None else '{"Statement": []}'


def default_document(policy: Any) -> str:
    """Return the document of the default version."""
    return next(str(v.document) for v in policy.versions if v.is_default)


def is_trusted(role: Any, call: StandinCall, *, action: str = "sts:AssumeRole") -> bool:
    """Return True if the role's trust policy admits the caller, including conditions such as the
    external ID.
    """
    caller = call.caller
    named = {caller.arn, f"arn:aws:iam::{caller.account}:root", caller.account}
    if caller.role_arn:
        named.add(caller.role_arn)
    context = context_of(call, organisation=organisation_id())
    question = AuthorizationQuestion(action, role.arn, context, frozenset(named))
    return decide([role.assume_role_policy_document], question) == ALLOWED
