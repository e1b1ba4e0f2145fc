"""The one word for who may assume a role."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.mirror.pull.trust import trust_category

pytestmark = pytest.mark.on_postgresql

ACCOUNT = "111111111111"


def allow(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}


@pytest.mark.parametrize(
    ("statements", "word"),
    [
        ([allow({"Service": "ec2.amazonaws.com"})], "service:ec2"),
        ([allow({"Service": "ecs-tasks.amazonaws.com"})], "service:ecs-tasks"),
        ([allow({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]})], "service:edgelambda"),
        ([allow({"Service": "ec2.amazonaws.com.cn"})], "service:ec2"),
        ([allow({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], "account"),
        ([allow({"AWS": ACCOUNT})], "account"),
        ([allow({"AWS": "arn:aws:iam::222222222222:role/ci"})], "cross-account"),
        ([allow({"AWS": [f"arn:aws:iam::{ACCOUNT}:root", "222222222222"]})], "cross-account"),
        ([allow({"AWS": "*"})], "any"),
        ([allow("*")], "any"),
        ([{"Effect": "Allow", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}], "any"),
        ([allow({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/Okta"})], "saml"),
        (
            [
                allow(
                    {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"}
                )
            ],
            "oidc",
        ),
        ([allow({"Federated": "cognito-identity.amazonaws.com"})], "oidc"),
        ([allow({"Service": "ec2.amazonaws.com"}), allow({"AWS": ACCOUNT})], "account"),
        ([allow({"AWS": "AIDAEXAMPLEEXAMPLE"})], "account"),
        ([{**allow({"AWS": "*"}), "Effect": "Deny"}], ""),
        ([], ""),
        (allow({"Service": "ec2.amazonaws.com"}), "service:ec2"),
    ],
)
def test_the_most_exposed_kind_of_principal_gives_the_word(statements: Any, word: str) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": statements})
    assert trust_category(trust, path="/", account_id=ACCOUNT) == word


def test_roles_that_services_made_for_themselves_are_told_by_their_path() -> None:
    assert (
        trust_category("{}", path="/aws-service-role/x.amazonaws.com/", account_id=ACCOUNT)
        == "service-linked"
    )


@pytest.mark.parametrize(
    "trust", ["", "no json", "[]", "null", '{"Statement": [1, "x", {}]}', '{"Statement": 5}']
)
def test_a_trust_policy_that_cannot_be_understood_gives_no_word(trust: str) -> None:
    assert trust_category(trust, path="/", account_id=ACCOUNT) == ""
