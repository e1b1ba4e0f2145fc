"""Helpers for the policy documents and trust policies of the sample organization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.demo.organisation.specs import Document

REGION = "eu-west-1"
GITHUB = "token.actions.githubusercontent.com"
ORGANISATION_ID = "o-n0rthl1ne7"
Elements = str | Sequence[str]


def document(*statements: dict[str, Any]) -> Document:
    """Return a policy document with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(sid: str, actions: Elements, resources: Elements = "*", **condition: Any) -> dict[str, Any]:
    """Return an Allow statement; `condition` maps operators to keys and values."""
    return _statement("Allow", sid, actions, resources, condition)


def deny(sid: str, actions: Elements, resources: Elements = "*", **condition: Any) -> dict[str, Any]:
    """Return a Deny statement."""
    return _statement("Deny", sid, actions, resources, condition)


def deny_but(sid: str, actions: Elements, resources: Elements = "*", **condition: Any) -> dict[str, Any]:
    """Return a Deny statement for everything except these actions."""
    statement = _statement("Deny", sid, actions, resources, condition)
    renamed = {"Action": "NotAction"}
    return {renamed.get(name, name): value for name, value in statement.items()}


def _statement(
    effect: str, sid: str, actions: Elements, resources: Elements, condition: Any
) -> dict[str, Any]:
    statement = {
        "Sid": sid,
        "Effect": effect,
        "Action": _plain_document(actions),
        "Resource": _plain_document(resources),
    }
    return statement | ({"Condition": condition} if condition else {})


def _plain_document(elements: Elements) -> str | list[str]:
    return elements if isinstance(elements, str) else list(elements)


def arn(service: str, account: str, resource: str, *, region: str = REGION) -> str:
    """Return the ARN of a resource in the organization's home Region."""
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def aws_managed(name: str) -> str:
    """Return the ARN of an AWS managed policy; `name` includes its path."""
    return f"arn:aws:iam::aws:policy/{name}"


def trusts(principal: Any, action: str = "sts:AssumeRole", **condition: Any) -> Document:
    """Return a trust policy with one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return document(statement | ({"Condition": condition} if condition else {}))


def service_trust(*services: str, **condition: Any) -> Document:
    """Return a trust policy for AWS services, by the first part of their principals."""
    names = [f"{service}.amazonaws.com" for service in services]
    return trusts({"Service": names if len(names) > 1 else names[0]}, **condition)


def account_trust(account: str, *, external_id: str | None = None, mfa: bool = False) -> Document:
    """Return a trust policy for all principals in an account to which that account grants it."""
    condition: dict[str, Any] = {}
    if external_id is not None:
        condition["StringEquals"] = {"sts:ExternalId": external_id}
    if mfa:
        condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
    return trusts({"AWS": f"arn:aws:iam::{account}:root"}, **condition)


def github_trust(account: str, subject: str) -> Document:
    """Return a trust policy for GitHub Actions with audience and subject, e.g.
    `repo:northline/pay:ref:refs/heads/main`.
    """
    return trusts(
        {"Federated": f"arn:aws:iam::{account}:oidc-provider/{GITHUB}"},
        "sts:AssumeRoleWithWebIdentity",
        StringEquals={f"{GITHUB}:aud": "sts.amazonaws.com"},
        StringLike={f"{GITHUB}:sub": subject},
    )


def eks_provider(account: str) -> str:
    """Return the OIDC issuer of the account's cluster, as host and path."""
    number = {"4": "C0FFEE5A17B0A7", "8": "57A61260A7B0A7", "6": "DA7A5E7F10A75"}.get(account[0], "5A4DB0C5")
    return f"oidc.eks.{REGION}.amazonaws.com/id/{number:0<32}"


def pod_trust(account: str, service_account: str) -> Document:
    """Return a trust policy for a Kubernetes service account, `namespace:name`."""
    issuer = eks_provider(account)
    return trusts(
        {"Federated": f"arn:aws:iam::{account}:oidc-provider/{issuer}"},
        "sts:AssumeRoleWithWebIdentity",
        StringEquals={
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": f"system:serviceaccount:{service_account}",
        },
    )


def saml_trust(account: str, provider: str = "Okta") -> Document:
    """Return a trust policy for people who sign in through the corporate identity provider."""
    return trusts(
        {"Federated": f"arn:aws:iam::{account}:saml-provider/{provider}"},
        "sts:AssumeRoleWithSAML",
        StringEquals={"SAML:aud": "https://signin.aws.amazon.com/saml"},
    )
