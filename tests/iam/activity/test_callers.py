"""Who made a call: a table over the identities that CloudTrail documents."""

from __future__ import annotations

from typing import Any

import pytest

from iam.activity import callers
from iam.activity.callers import CallerKey, CallerSession, caller_of
from tests.iam.activity.records import ACCOUNT, user

ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/deploy/pipeline"


def _assumed(session: str = "build-17", **context: Any) -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "principalId": f"AROAPIPE:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/pipeline/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAPIPE",
                "arn": ROLE_ARN,
                "accountId": ACCOUNT,
                "userName": "pipeline",
            },
            "attributes": {"mfaAuthenticated": "false", "creationDate": "2026-11-20T09:00:00Z"},
        }
        | context,
    }


ROLE = CallerKey("role", ACCOUNT, "AROAPIPE", ROLE_ARN, "pipeline")
KEY = "ASIAIOSFODNN7EXAMPLE"
CASES: dict[str, tuple[dict[str, Any], CallerKey, CallerSession]] = {
    "a user with a key": (
        user(),
        CallerKey("user", ACCOUNT, "AIDAANA", f"arn:aws:iam::{ACCOUNT}:user/ana", "ana"),
        CallerSession("", "AKIAIOSFODNN7EXAMPLE", "", "", None, ""),
    ),
    "a role": (_assumed(), ROLE, CallerSession("build-17", KEY, "", "", False, "")),
    "a role with source identity": (
        _assumed(sourceIdentity="ana@example.com", attributes={}),
        ROLE,
        CallerSession("build-17", KEY, "ana@example.com", "", None, ""),
    ),
    "a role of an instance": (
        _assumed("i-0abc", ec2RoleDelivery="2.0", attributes={}),
        ROLE,
        CallerSession("i-0abc", KEY, "", "", None, "i-0abc"),
    ),
    "a role through GitHub Actions": (
        _assumed(
            attributes={},
            webIdFederationData={
                "federatedProvider": "token.actions.githubusercontent.com",
                "attributes": {"token.actions.githubusercontent.com:sub": "repo:northline/pay:ref:main"},
            },
        ),
        ROLE,
        CallerSession("build-17", KEY, "", "repo:northline/pay:ref:main", None, ""),
    ),
    "a role for a user of IAM Identity Center": (
        _assumed() | {"onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore:::x"}},
        ROLE,
        CallerSession("build-17", KEY, "", "u-1", False, ""),
    ),
    "a role without an issuer": (
        {
            "type": "AssumedRole",
            "principalId": "AROAPIPE:build-17",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/pipeline/build-17",
            "accountId": ACCOUNT,
        },
        CallerKey("role", ACCOUNT, "AROAPIPE", "", "pipeline"),
        CallerSession("build-17", "", "", "", None, ""),
    ),
    "a federated user counts as the user who called GetFederationToken": (
        {
            "type": "FederatedUser",
            "principalId": f"{ACCOUNT}:guest",
            "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
            "accountId": ACCOUNT,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "IAMUser",
                    "principalId": "AIDAANA",
                    "arn": f"arn:aws:iam::{ACCOUNT}:user/ana",
                    "accountId": ACCOUNT,
                    "userName": "ana",
                }
            },
        },
        CallerKey("user", ACCOUNT, "AIDAANA", f"arn:aws:iam::{ACCOUNT}:user/ana", "ana"),
        CallerSession("guest", "", "", "", None, ""),
    ),
    "root": (
        {
            "type": "Root",
            "principalId": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:root",
            "accountId": ACCOUNT,
            "sessionContext": {"attributes": {"mfaAuthenticated": "true"}},
        },
        CallerKey("root", ACCOUNT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", "root"),
        CallerSession("", "", "", "", True, ""),
    ),
    "root of a member account, through AssumeRoot": (
        {
            "type": "AssumedRole",
            "principalId": f"{ACCOUNT}:session",
            "accountId": ACCOUNT,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Root",
                    "principalId": ACCOUNT,
                    "arn": f"arn:aws:iam::{ACCOUNT}:root",
                    "accountId": ACCOUNT,
                }
            },
        },
        CallerKey("root", ACCOUNT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", "root"),
        CallerSession("session", "", "", "", None, ""),
    ),
    "a service": (
        {"type": "AWSService", "invokedBy": "rds.amazonaws.com"},
        CallerKey("service", "", "", "", "rds.amazonaws.com"),
        CallerSession("", "", "", "", None, ""),
    ),
    "a service without a type": (
        {"accountId": ACCOUNT, "invokedBy": "secretsmanager.amazonaws.com"},
        CallerKey("service", "", "", "", "secretsmanager.amazonaws.com"),
        CallerSession("", "", "", "", None, ""),
    ),
    "a user of IAM Identity Center": (
        {"type": "IdentityCenterUser", "accountId": ACCOUNT, "onBehalfOf": {"userId": "u-1"}},
        CallerKey("identity-center", ACCOUNT, "u-1", "", "u-1"),
        CallerSession("", "", "", "u-1", None, ""),
    ),
    "a web identity": (
        {
            "type": "WebIdentityUser",
            "principalId": "accounts.google.com:app:user-7",
            "userName": "user-7",
            "identityProvider": "accounts.google.com",
        },
        CallerKey("federated", "", "accounts.google.com:user-7", "", "user-7"),
        CallerSession("app:user-7", "", "", "", None, ""),
    ),
    "another account": (
        {"type": "AWSAccount", "principalId": "AIDAOTHER", "accountId": "999988887777"},
        CallerKey("other-account", "999988887777", "AIDAOTHER", "", "999988887777"),
        CallerSession("", "", "", "", None, ""),
    ),
    "a type that is not known yet": (
        {"type": "AWSRobot", "principalId": "AWRB", "accountId": ACCOUNT, "arn": "arn:aws:iam::1:robot/r2"},
        CallerKey("unknown", ACCOUNT, "AWRB", "arn:aws:iam::1:robot/r2", "r2"),
        CallerSession("", "", "", "", None, ""),
    ),
    "nothing at all": ({}, CallerKey("unknown", "", "", "", ""), CallerSession("", "", "", "", None, "")),
}


@pytest.mark.parametrize("name", CASES)
def test_the_principal_and_its_session(name: str) -> None:
    identity, caller, session = CASES[name]
    assert caller_of(identity) == (caller, session)


@pytest.mark.parametrize("junk", [5, "x", [], None, {"a": {}}])
@pytest.mark.parametrize(
    "field", ["sessionContext", "principalId", "arn", "accountId", "userName", "onBehalfOf", "accessKeyId"]
)
def test_a_field_of_the_wrong_type_counts_as_absent(field: str, junk: object) -> None:
    for kind in ("IAMUser", "AssumedRole", "Root", "AWSAccount", "WebIdentityUser", "FederatedUser"):
        caller, session = caller_of({**_assumed(), "type": kind, field: junk})
        assert all(isinstance(value, str) for value in caller)
        assert isinstance(session.name, str)


def test_a_name_from_an_arn_is_cut_to_what_a_column_holds() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{'x' * 1000}"
    issuer = {"type": "Role", "principalId": "AROAX", "arn": arn, "accountId": ACCOUNT}
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{'y' * 1000}/s"
    for identity in (
        {"type": "AssumedRole", "arn": session, "sessionContext": {"sessionIssuer": issuer}},
        {"type": "AssumedRole", "arn": session, "sessionContext": {}},
        {"type": "IAMUser", "arn": arn},
    ):
        caller, _ = caller_of(identity)
        assert len(caller.name) == 256


def test_each_identity_has_its_own_caller_also_when_it_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "IDENTITIES_KEPT", 3)
    identities = [user(f"user-{number}") for number in range(7)]
    for _ in range(3):
        for identity in identities:
            assert caller_of(identity)[0].name == identity["userName"]
            assert len(callers._callers) <= 3
    plain = {"accountId": ACCOUNT}
    by_service = caller_of(plain, "s3.amazonaws.com")[0].name
    assert (by_service, caller_of(plain)[0].name) == ("s3.amazonaws.com", "")


def test_an_identity_that_is_no_json_is_read_all_the_same() -> None:
    identity = user("ana") | {"sessionContext": {1, 2}, "invoked": 1 << 70}
    assert caller_of(identity) == caller_of(user("ana"))
