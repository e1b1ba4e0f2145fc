"""Fixes of kinds that the sample organization doesn't have: the problem is made in this test's own stand-in,
and the fix is applied through the runner.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from console.demo.organisation.material import saml_metadata
from iam.access.escalation_calculation import calculation as escalation
from iam.audit.findings.models import AuditFinding, FindingStatus
from iam.audit.findings.report import rows_now
from iam.changes.operations import Operation
from iam.directory.models import Role
from iam.mirror.models import Account
from iam.mirror.services import request_pull, run_pull
from tests import factories
from tests.console.demo.clients import member
from tests.console.demo.test_fixes import ELSEWHERE, act, carry_out, findings_open, fix_of

pytestmark = pytest.mark.django_db
NAME = "made-for-a-test"
COGNITO = "cognito-identity.amazonaws.com"
ISSUER = "token.actions.githubusercontent.com"


def _metadata(*, days: int) -> str:
    """Metadata of an identity provider that end so many days from now."""
    now = timezone.now().replace(microsecond=0, tzinfo=None)
    begins: datetime = now - timedelta(days=300)
    return saml_metadata("idp.northline.example", begins=begins, ends=now + timedelta(days=days))


def _new_metadata(finding: AuditFinding) -> Sequence[Operation]:
    return act("metadata", metadata=_metadata(days=700))(finding)


def _make(iam: Any, number: str) -> None:
    """A role without a condition on the audience, a role for guests of Cognito, a policy with an action that
    doesn't exist, a provider whose metadata end soon, an API key without an end, and an inline policy that
    stops trails.
    """
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{number}:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:sub": "repo:northline/app:ref:refs/heads/main"}},
    }
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=_document(trust))
    allow = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjects"], "Resource": "arn:aws:s3:::a/*"}
    iam.create_policy(PolicyName=NAME, PolicyDocument=_document(allow))
    guests = {
        "Effect": "Allow",
        "Principal": {"Federated": COGNITO},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{COGNITO}:aud": "eu-west-1:12345678-1234-1234-1234-123456789012"},
            "ForAnyValue:StringLike": {f"{COGNITO}:amr": "unauthenticated"},
        },
    }
    iam.create_role(RoleName=f"guests-{NAME}", AssumeRolePolicyDocument=_document(guests))
    iam.create_user(UserName=NAME)
    iam.create_service_specific_credential(UserName=NAME, ServiceName="bedrock.amazonaws.com")
    stop = {"Effect": "Allow", "Action": ["cloudtrail:StopLogging", "cloudtrail:Get*"], "Resource": "*"}
    iam.put_user_policy(UserName=NAME, PolicyName=NAME, PolicyDocument=_document(stop))
    iam.create_saml_provider(Name=NAME, SAMLMetadataDocument=_metadata(days=9))


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


BUILT: dict[str, Callable[[AuditFinding], Sequence[Operation]] | None] = {
    "api-key-without-expiry": fix_of("api-key-without-expiry"),
    "cognito-without-sign-in": fix_of("cognito-without-sign-in"),
    "oidc-without-audience": fix_of("oidc-without-audience"),
    "stop-logging-on-everything": fix_of("stop-logging-on-everything"),
    "unknown-action": fix_of("unknown-action"),
    "saml-metadata-expiring": _new_metadata,
}


def test_every_kind_that_the_sample_lacks_is_made_here() -> None:
    assert set(BUILT) == set(ELSEWHERE)
    assert all(BUILT.values())


def test_each_fix_closes_what_was_made(accounts: list[Account]) -> None:
    (account,) = (each for each in accounts if each.name == "sandbox")
    _make(member(os.environ["AWS_ENDPOINT_URL"], "iam", "sandbox"), account.account_id)
    assert run_pull(request_pull(account, trigger="command").pk).state in ("complete", "partial")
    list(rows_now([account]))
    requester = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    approver = factories.viewer(Role.APPROVER, name="Hana Sato")
    made = {}
    for kind, build in BUILT.items():
        (finding,) = findings_open(kind).filter(subject__endswith=NAME)
        assert build
        carry_out(build(finding), requester=requester, approver=approver, key=kind)
        made[kind] = finding.pk
    escalation.calculate_due(is_forced=True)
    list(rows_now([account]))
    left = AuditFinding.objects.filter(pk__in=made.values()).exclude(status=FindingStatus.FIXED)
    assert not [f"{row.kind} {row.subject}" for row in left]
