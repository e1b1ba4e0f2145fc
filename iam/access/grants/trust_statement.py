"""Builds the trust policies that grants write: who can assume a role, and under which conditions. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from iam.access.grants.documents import timed_statement, written
from iam.access.grants.terms import TermsError, WhoKind, WhoTerms
from iam.policy.document import CURRENT
from iam.policy.lint import TRUST, LintKind, LintSeverity, lint
from iam.policy.statements import as_list, statements_in

SIGN_IN: Final = {
    "aws": "https://signin.aws.amazon.com/saml",
    "aws-us-gov": "https://signin.amazonaws-us-gov.com/saml",
    "aws-cn": "https://signin.amazonaws.cn/saml",
}
"""The audience of SAML assertions for roles, by partition."""
TOO_LONG: Final = "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA"
SESSION: Final = "sts:RoleSessionName"
USER_NAME: Final = "${aws:username}"
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_rolesessionname
"""


def statement_for(
    who: WhoTerms,
    *,
    sid: str,
    partition: str,
    account_id: str,
    end: datetime | None,
    arns: Sequence[str] = (),
) -> dict[str, Any]:
    """The trust statement that lets these principals assume a role of the account.

    `arns` are users and roles of any account. Users must use their user name as session name (as the AWS
    console does), so that their sessions can be told apart.
    """
    conditions: dict[str, dict[str, str]] = {}
    action, principal = "sts:AssumeRole", {"AWS": _named(who, partition, arns)}
    if who.kind is WhoKind.PARTNER:
        conditions = {"StringEquals": {"sts:ExternalId": who.external_id}}
    elif who.holds_permissions and all(":user/" in arn for arn in arns):
        conditions = {"StringEquals": {SESSION: USER_NAME}}
    elif who.kind is WhoKind.FEDERATED:
        provider = provider_in(who, account_id=account_id, partition=partition)
        principal = {"Federated": provider}
        action, conditions = _federated(who, provider, partition)
    statement: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action}
    return timed_statement(statement | ({"Condition": conditions} if conditions else {}), end=end)


def provider_in(who: WhoTerms, *, account_id: str, partition: str) -> str:
    """The ARN of the identity provider with the same name in this account."""
    parts = who.provider_arn.split(":", 5)
    return ":".join([parts[0], partition, *parts[2:4], account_id, parts[5]])


def _named(who: WhoTerms, partition: str, arns: Sequence[str]) -> str | list[str]:
    if who.kind in (WhoKind.ACCOUNT, WhoKind.PARTNER):
        return who.principal or f"arn:{partition}:iam::{who.account_id}:root"
    return arns[0] if len(arns) == 1 else sorted(arns)


def _federated(who: WhoTerms, provider: str, partition: str) -> tuple[str, dict[str, dict[str, str]]]:
    test = "StringLike" if {"*", "?"} & set(who.subject) else "StringEquals"
    if ":saml-provider/" in provider:
        audience, subject = ("SAML:aud", who.audience or SIGN_IN[partition]), ("SAML:sub", who.subject)
        action = "sts:AssumeRoleWithSAML"
    else:
        issuer = provider.partition(":oidc-provider/")[2]
        audience, subject = (f"{issuer}:aud", who.audience), (f"{issuer}:sub", who.subject)
        action = "sts:AssumeRoleWithWebIdentity"
    conditions: dict[str, dict[str, str]] = {"StringEquals": dict([audience])}
    conditions.setdefault(test, {}).update([subject])
    return action, conditions


def trust_of(statement: Mapping[str, Any], *, limit: int = TRUST.limit) -> str:
    """The trust policy of a new role. Raises TermsError if the lint has an error or the policy exceeds the
    limit.
    """
    return _checked({"Version": CURRENT, "Statement": [statement]}, limit)


def opened(text: str, *, statement: Mapping[str, Any], limit: int = TRUST.limit) -> str:
    """The trust policy with this statement added; it replaces one with the same Sid. Raises TermsError."""
    body = json.loads(text)
    kept = [
        part_statement
        for part_statement in statements_in(body)
        if part_statement.get("Sid") != statement["Sid"]
    ]
    return _checked({**body, "Statement": [*kept, dict(statement)]}, limit)


def closed(text: str, *, sid: str) -> str | None:
    """The trust policy without the statement with this Sid; None if no statement would be left, which AWS
    does not allow.
    """
    body = json.loads(text)
    kept = [statement for statement in statements_in(body) if statement.get("Sid") != sid]
    return written({**body, "Statement": kept}) if kept else None


def sids_of(text: str) -> set[str]:
    """The Sids of the statements."""
    return {str(statement.get("Sid", "")) for statement in statements_in(json.loads(text))}


def users_of(text: str, *, sid: str) -> list[str]:
    """The user names in a statement that requires them as session names; empty for other statements."""
    statement_of_sid = next(
        (statement for statement in statements_in(json.loads(text)) if statement.get("Sid") == sid), {}
    )
    if statement_of_sid.get("Condition", {}).get("StringEquals", {}).get(SESSION) != USER_NAME:
        return []
    named = statement_of_sid.get("Principal", {}).get("AWS", [])
    return sorted(arn.rpartition("/")[2] for arn in as_list(named) if ":user/" in arn)


def _checked(body: Mapping[str, Any], limit: int) -> str:
    text = written(body)
    if (size := TRUST.size(text)) > limit:
        raise TermsError(
            f"The trust policy would have {size:,} characters. AWS allows {limit:,}. "
            "Choose fewer people, or give access to a role of theirs.",
            part="who",
        )
    findings = lint(text, kind=LintKind.TRUST)
    # The lint uses AWS's default quota, and the account may have a higher one.
    wrong = [
        finding for finding in findings if finding.severity is LintSeverity.ERROR and finding.code != TOO_LONG
    ]
    if wrong:
        first = wrong[0]
        start = "AWS would reject the trust policy" if first.is_refused else "Fix the trust policy"
        raise TermsError(f"{start}: {first.message}", part="who")
    return text


def may_assume(role_arns: Sequence[str]) -> str:
    """The policy that allows sts:AssumeRole on roles of other accounts."""
    resource = role_arns[0] if len(role_arns) == 1 else sorted(role_arns)
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource}
    return written({"Version": CURRENT, "Statement": [statement]})
