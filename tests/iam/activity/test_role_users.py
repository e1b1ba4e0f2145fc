"""Who used which role by single sign-on, as events of each shape name them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from iam.activity.ingest import DeliveredFile, ingest
from iam.activity.models import RoleUser
from iam.activity.retention import forget
from tests.iam.activity.records import ACCOUNT, record, trail, user

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
PERMISSION_SET = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_admin_0123456789abcdef"
)
SAML = {
    "type": "SAMLUser",
    "principalId": "x:Maya.Okafor",
    "identityProvider": "x",
    "userName": "Maya.Okafor",
}
WEB = {
    "type": "WebIdentityUser",
    "principalId": "gh:repo",
    "identityProvider": "gh",
    "userName": "repo:org/app",
}


@pytest.fixture(autouse=True)
def _now() -> Iterable[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def session(role: str, name: str, **context: Any) -> dict[str, Any]:
    issuer = {"type": "Role", "principalId": "AROAX", "arn": role, "accountId": ACCOUNT}
    return {
        "type": "AssumedRole",
        "principalId": f"AROAX:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/x/{name}",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": issuer, "attributes": {}} | context,
    }


def sign_in(identity: dict[str, Any], name: str, **changes: Any) -> dict[str, Any]:
    called = {"eventSource": "sts.amazonaws.com", "eventName": name, "readOnly": None}
    resources = [{"ARN": APP, "type": "AWS::IAM::Role", "accountId": ACCOUNT}]
    parameters = {"roleArn": APP, "roleSessionName": "x"}
    return record(
        userIdentity=identity, **called, resources=resources, requestParameters=parameters, **changes
    )


EVENTS: dict[str, tuple[dict[str, Any], set[tuple[str, str, str]]]] = {
    "an IAM user": (record(userIdentity=user()), set()),
    "a program in a role": (record(userIdentity=session(APP, "i-0123456789")), set()),
    "a person in a role": (
        record(userIdentity=session(APP, "Maya@Example.com")),
        {(APP, "maya@example.com", "")},
    ),
    "a role with a source identity": (
        record(userIdentity=session(APP, "build-7", sourceIdentity="maya@example.com")),
        {(APP, "maya@example.com", "")},
    ),
    "a permission set": (
        record(userIdentity=session(PERMISSION_SET, "Maya.Okafor")),
        {(PERMISSION_SET, "maya.okafor", "")},
    ),
    "a permission set on behalf of": (
        record(userIdentity=session(PERMISSION_SET, "maya") | {"onBehalfOf": {"userId": "u-1"}}),
        {(PERMISSION_SET, "maya", "u-1")},
    ),
    "a role on behalf of": (
        record(userIdentity=session(APP, "q-session") | {"onBehalfOf": {"userId": "u-1"}}),
        {(APP, "", "u-1")},
    ),
    "a sign-in to Identity Center": (
        record(userIdentity={"type": "IdentityCenterUser", "accountId": ACCOUNT, "userName": "Maya",
                             "onBehalfOf": {"userId": "u-1"}}),
        {("", "maya", "u-1")},
    ),
    "a sign-in without a name": (
        record(userIdentity={"type": "IdentityCenterUser", "accountId": ACCOUNT,
                             "onBehalfOf": {"userId": "u-1"}}),
        set(),
    ),
    "SAML": (sign_in(SAML, "AssumeRoleWithSAML"), {(APP, "maya.okafor", "")}),
    "SAML that was denied": (sign_in(SAML, "AssumeRoleWithSAML", errorCode="AccessDenied"), set()),
    "OpenID Connect of a program": (sign_in(WEB, "AssumeRoleWithWebIdentity"), set()),
    "OpenID Connect of a person": (
        sign_in(WEB | {"userName": "maya@example.com"}, "AssumeRoleWithWebIdentity"),
        {(APP, "maya@example.com", "")},
    ),
    "a name that no index holds": (record(userIdentity=session(APP + "é" * 1900, "maya@example.com")), set()),
}  # fmt: skip


@pytest.mark.parametrize("shape", EVENTS)
def test_who_is_named(shape: str) -> None:
    event, users = EVENTS[shape]
    ingest([DeliveredFile("file", trail(event))], "command")
    assert set(RoleUser.objects.values_list("role_arn", "name", "person")) == users


def test_the_last_use_counts_in_any_order_and_old_ones_are_forgotten() -> None:
    for number, day in enumerate((20, 22, 21)):
        named = session(APP, "maya@example.com")
        event = record(number, userIdentity=named, eventTime=f"2026-11-{day}T10:00:00Z")
        ingest([DeliveredFile(f"file-{number}", trail(event))], "command")
    assert RoleUser.objects.get().last_at.day == 22
    forget(datetime(2026, 11, 22, tzinfo=UTC))
    assert RoleUser.objects.exists()
    forget(datetime(2026, 11, 23, tzinfo=UTC))
    assert not RoleUser.objects.exists()
