"""What ready fixes write: only what the finding is about is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.audit.findings.models import AuditFinding
from iam.audit.findings.policy_fixes import without_unknown_actions
from iam.audit.findings.rules import all_rules
from iam.audit.findings.trust_fixes import (
    require_audience,
    require_cognito_sign_in,
    require_external_id,
    require_source_account,
)
from iam.changes.errors import RefusedError
from iam.mirror.models import Entity, Kind
from tests import factories

pytestmark = pytest.mark.django_db


def finding_about(entity: Entity, **evidence: Any) -> AuditFinding:
    return AuditFinding(key="a" * 32, account=entity.account, entity=entity, evidence=evidence)


def statements(text: str) -> list[dict[str, Any]]:
    return json.loads(text)["Statement"]


def role_trusting(*allow: dict[str, Any]) -> Entity:
    rows = [{"Effect": "Allow", "Action": "sts:AssumeRole", **row} for row in allow]
    return factories.role(factories.account(), "reports", trust={"Version": "2012-10-17", "Statement": rows})


def test_names_that_do_not_exist_are_removed_and_nothing_else() -> None:
    allow = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjects"], "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "s3:DeleteThings", "Resource": "*"}
    user = factories.user(factories.account(), "tomas")
    factories.inline(user, "tools", body={"Version": "2012-10-17", "Statement": [allow, deny]})
    (operation,) = without_unknown_actions(finding_about(user, policy="tools"))
    assert statements(operation.params["document"]) == [{**allow, "Action": ["s3:GetObject"]}]


def test_a_condition_is_for_the_service_that_is_meant_only() -> None:
    role = role_trusting(
        {"Sid": "Run", "Principal": {"Service": ["glue.amazonaws.com", "ec2.amazonaws.com"]}}
    )
    (operation,) = require_source_account(finding_about(role, principal="glue.amazonaws.com"))
    others, limited = statements(operation.params["document"])
    assert (others["Principal"], others.get("Condition")) == ({"Service": ["ec2.amazonaws.com"]}, None)
    assert limited["Principal"] == {"Service": ["glue.amazonaws.com"]}
    assert limited["Condition"] == {"StringEquals": {"aws:SourceAccount": "111111111111"}}
    assert limited["Sid"] != others["Sid"]


def test_an_account_that_a_condition_names_has_to_send_an_external_id() -> None:
    condition = {"StringEquals": {"aws:PrincipalAccount": "999999999999"}}
    role = role_trusting({"Principal": "*", "Condition": condition})
    (operation,) = require_external_id(finding_about(role, account="999999999999", principal="*"))
    (limited,) = statements(operation.params["document"])
    assert limited["Condition"]["StringEquals"].keys() == {"aws:PrincipalAccount", "sts:ExternalId"}


def test_an_external_id_is_the_same_each_time_and_keeps_other_conditions() -> None:
    condition = {"Bool": {"aws:SecureTransport": "true"}, "StringLike": {"sts:ExternalId": "*"}}
    role = role_trusting({"Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Condition": condition})
    finding = finding_about(role, account="999999999999")
    texts = [require_external_id(finding)[0].params["document"] for _ in range(2)]
    assert texts[0] == texts[1]
    tests = statements(texts[0])[0]["Condition"]
    assert tests["Bool"] == condition["Bool"]
    assert "StringLike" not in tests
    assert len(tests["StringEquals"]["sts:ExternalId"]) > 20


def test_the_audience_is_the_first_client_id_of_the_provider() -> None:
    arn = "arn:aws:iam::111111111111:oidc-provider/oidc.example.com"
    web = "sts:AssumeRoleWithWebIdentity"
    role = role_trusting({"Action": web, "Principal": {"Federated": arn}})
    factories.entity(
        role.account, Kind.OIDC_PROVIDER, "oidc.example.com", arn=arn, attrs={"ClientIDList": ["app"]}
    )
    (operation,) = require_audience(finding_about(role, principal=arn))
    tests = statements(operation.params["document"])[0]["Condition"]
    assert tests == {"StringEquals": {"oidc.example.com:aud": "app"}}


def test_a_text_that_changed_meanwhile_is_refused() -> None:
    role = role_trusting({"Principal": {"Service": "ec2.amazonaws.com"}})
    with pytest.raises(RefusedError, match="changed in AWS"):
        require_source_account(finding_about(role, principal="glue.amazonaws.com"))


def test_full_access_to_iam_is_removed_from_an_own_policy_and_an_aws_managed_one_is_detached() -> None:
    fix_request = all_rules()["full-access-to-iam"].fix_request
    assert fix_request
    account = factories.account()
    user = factories.user(account, "tomas")
    allow = {"Effect": "Allow", "Action": ["s3:GetObject", "iam:*"], "Resource": "*"}
    factories.inline(user, "tools", body={"Version": "2012-10-17", "Statement": [allow]})
    (rewritten,) = fix_request.build(finding_about(user, policy="tools"))
    assert statements(rewritten.params["document"]) == [{**allow, "Action": ["s3:GetObject"]}]
    managed = factories.policy(account, "IAMFullAccess", arn="arn:aws:iam::aws:policy/IAMFullAccess")
    (detached,) = fix_request.build(finding_about(user, policy=managed.arn))
    assert (detached.slug, detached.params["policy_arn"]) == ("attachment.detach", managed.arn)


def test_every_action_that_gives_permissions_is_removed_where_a_list_of_them_is_full_access_to_iam() -> None:
    fix_request = all_rules()["full-access-to-iam"].fix_request
    assert fix_request
    user = factories.user(factories.account(), "tomas")
    giving = ["iam:A*", "iam:C*", "iam:P*", "iam:UpdateAssumeRolePolicy"]
    wide = {"Effect": "Allow", "Action": [*giving, "iam:Get*", "iam:DeleteUser"], "Resource": "*"}
    own = {"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "arn:aws:iam::*:user/tomas"}
    factories.inline(user, "tools", body={"Version": "2012-10-17", "Statement": [wide, own]})
    (rewritten,) = fix_request.build(finding_about(user, policy="tools"))
    kept = {**wide, "Action": ["iam:Get*", "iam:DeleteUser"]}
    assert statements(rewritten.params["document"]) == [kept, own]


@pytest.mark.parametrize(
    ("kind", "actions", "kept"),
    [
        ("stop-logging-on-everything", ["cloudtrail:StopLogging"], "cloudtrail:GetTrailStatus"),
        ("read-secrets-on-everything", ["secretsmanager:GetSecretValue"], "secretsmanager:ListSecrets"),
    ],
)
def test_only_the_actions_of_the_finding_are_removed_from_everything(
    kind: str, actions: list[str], kept: str
) -> None:
    fix_request = all_rules()[kind].fix_request
    assert fix_request
    user = factories.user(factories.account(), "tomas")
    allow = {"Effect": "Allow", "Action": [*actions, kept], "Resource": "*"}
    chosen = {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::some-name"}
    factories.inline(user, "tools", body={"Version": "2012-10-17", "Statement": [allow, chosen]})
    (rewritten,) = fix_request.build(finding_about(user, policy="tools", actions=actions))
    assert statements(rewritten.params["document"]) == [{**allow, "Action": [kept]}, chosen]


def test_sign_in_is_required_where_guests_of_cognito_are_let_in() -> None:
    issuer = "cognito-identity.amazonaws.com"
    pool = {"StringEquals": {f"{issuer}:aud": "eu-west-1:12345678"}}
    guests = {"ForAnyValue:StringLike": {f"{issuer}:amr": "unauthenticated"}}
    facebook = {"ForAnyValue:StringLike": {f"{issuer}:amr": "graph.facebook.com"}}
    federated = {"Principal": {"Federated": issuer}, "Action": "sts:AssumeRoleWithWebIdentity"}
    role = role_trusting(
        {**federated, "Condition": {**pool, **guests}},
        {**federated, "Condition": {**pool, **facebook}},
        {**federated, "Condition": pool},
    )
    (operation,) = require_cognito_sign_in(finding_about(role, principal=issuer))
    first, second, third = statements(operation.params["document"])
    signed_in = {"ForAnyValue:StringLike": {f"{issuer}:amr": "authenticated"}}
    assert first["Condition"] == third["Condition"] == {**pool, **signed_in}
    assert second["Condition"] == {**pool, **facebook}
