"""IAM Identity Center and identity providers: who signs in as more than it is."""

from __future__ import annotations

from typing import Any

import pytest

from iam.policy.escalation.method_types import EscalationMethod
from iam.policy.escalation.methods import IN_USE, SIGN_ON
from tests.iam.policy.escalation.builders import (
    CONDITIONAL,
    EVERYTHING,
    NONE,
    ONE,
    SURE,
    TWO,
    World,
    allow,
    deny,
)

SAML = f"arn:aws:iam::{ONE}:saml-provider/corp"
OIDC = f"arn:aws:iam::{ONE}:oidc-provider/token.actions.githubusercontent.com"
AUDIENCE = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}


def world(*statements: dict[str, Any], provider: str, **conditions: Any) -> World:
    world = World()
    action = "sts:AssumeRoleWithSAML" if "saml" in provider else "sts:AssumeRoleWithWebIdentity"
    trusts = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": action}
    world.role("admin", EVERYTHING, trusts={**trusts, **({"Condition": conditions} if conditions else {})})
    world.user("dev", *statements)
    return world


def test_who_replaces_the_metadata_of_a_saml_provider_signs_in_by_it() -> None:
    scene = world(allow("iam:UpdateSAMLProvider", SAML), provider=SAML, **AUDIENCE)
    assert scene.steps("dev") == [["iam-update-saml-provider"]]
    assert scene.becomes_administrator("dev") == SURE
    path = scene.path("dev")
    assert path is not None
    assert [ground.action for ground in path.steps[0].all_evidence] == [
        "iam:UpdateSAMLProvider",
        "sts:AssumeRoleWithSAML",
    ]
    assert path.closing
    assert (
        world(allow("iam:UpdateSAMLProvider", SAML + "2"), provider=SAML).becomes_administrator("dev") == NONE
    )
    refused = world(
        allow("iam:*SAML*"), deny("iam:UpdateSAMLProvider"), deny("iam:CreateSAMLProvider"), provider=SAML
    )
    assert refused.becomes_administrator("dev") == NONE
    elsewhere = SAML.replace(ONE, TWO)
    assert world(allow("iam:UpdateSAMLProvider"), provider=elsewhere).becomes_administrator("dev") == NONE


def test_what_the_role_asks_of_the_assertion_makes_it_conditional() -> None:
    subject = {"StringEquals": {"SAML:sub_type": "persistent", **AUDIENCE["StringEquals"]}}
    scene = world(allow("iam:UpdateSAMLProvider", SAML), provider=SAML, **subject)
    assert scene.becomes_administrator("dev") == CONDITIONAL
    other = {"StringEquals": {"SAML:aud": "https://elsewhere.example"}}
    scene = world(allow("iam:UpdateSAMLProvider", SAML), provider=SAML, **other)
    assert scene.becomes_administrator("dev") == NONE


@pytest.mark.parametrize(
    ("action", "provider"),
    [
        ("iam:CreateSAMLProvider", SAML),
        ("iam:CreateOpenIDConnectProvider", OIDC),
        ("iam:AddClientIDToOpenIDConnectProvider", OIDC),
        ("iam:UpdateOpenIDConnectProviderThumbprint", OIDC),
    ],
)
def test_other_changes_of_a_provider_are_conditional_and_say_on_what(action: str, provider: str) -> None:
    scene = world(allow(action, provider), provider=provider)
    assert scene.becomes_administrator("dev") == CONDITIONAL
    path = scene.path("dev")
    assert path is not None
    assert path.conditions
    assert (
        world(allow(action, provider), deny(action), provider=provider).becomes_administrator("dev") == NONE
    )
    assert world(allow(action, provider + "2"), provider=provider).becomes_administrator("dev") == NONE


def name_of(method: EscalationMethod) -> str:
    return method.name


@pytest.mark.parametrize("method", SIGN_ON, ids=name_of)
def test_identity_center_leads_from_the_management_account_to_all(method: EscalationMethod) -> None:
    actions = [need.action for need in method.needs]
    world = World()
    world.user("dev", allow(actions))
    world.user("boss", EVERYTHING, account=TWO)
    world.stand(is_management=True)
    world.stand(account=TWO)
    assert world.methods("dev")[method.name] == CONDITIONAL
    assert world.becomes_administrator("dev") == CONDITIONAL
    path = world.path("dev")
    assert path is not None
    assert IN_USE in path.conditions


@pytest.mark.parametrize("method", SIGN_ON, ids=name_of)
def test_identity_center_leads_nowhere_without_one_of_the_actions_or_from_a_member(
    method: EscalationMethod,
) -> None:
    actions = [need.action for need in method.needs]
    for missing in actions:
        world = World()
        world.user("dev", allow([*(action for action in actions if action != missing), "s3:Get*"]))
        world.stand(is_management=True)
        assert method.name not in world.methods("dev"), missing
        world = World()
        world.user("dev", allow(actions), deny(missing))
        world.stand(is_management=True)
        assert method.name not in world.methods("dev"), missing
    member = World()
    member.user("dev", allow(actions))
    member.stand()
    assert member.becomes_administrator("dev") == NONE
