"""Each documented path is found, each action of it is needed, and a deny closes it."""

from __future__ import annotations

import pytest

from iam.policy.catalogue.pass_role import pass_role_data
from tests.iam.policy.escalation.builders import EVERYTHING, NONE, ONE, World, allow, deny
from tests.iam.policy.escalation.documented import PATHS, Documented
from tests.iam.policy.escalation.test_public_lists import COMBINATIONS

SAML, OIDC = f"arn:aws:iam::{ONE}:saml-provider/corp", f"arn:aws:iam::{ONE}:oidc-provider/ci.example.com"
TRUSTED = sorted({m.trusted for m in pass_role_data().methods if not m.trusted.startswith("cognito")})


def name_of(path: Documented) -> str:
    return path.name


def world(path: Documented, actions: tuple[str, ...], *refused: str) -> World:
    """The management account with an administrator role for each sort of trust, and a user with only these
    actions.
    """
    world = World()
    federated = {"Federated": ["cognito-identity.amazonaws.com", SAML, OIDC]}
    trusts = {
        "Effect": "Allow",
        "Principal": {"Service": TRUSTED, **federated},
        "Action": ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"],
    }
    world.role("admin", EVERYTHING, trusts=trusts)
    world.group("admins", EVERYTHING)
    refusal = [deny(list(refused))] if refused else []
    world.user("dev", allow([*actions, "s3:GetObject"]), *refusal)
    world.stand(is_management=True)
    return world


def test_there_are_enough_of_them() -> None:
    assert len(PATHS) + len(COMBINATIONS) >= 150
    assert len({path.name for path in PATHS}) == len(PATHS)


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_a_documented_path_is_found(path: Documented) -> None:
    scene = world(path, path.actions)
    assert path.method in scene.methods("dev"), path.gains
    assert scene.becomes_administrator("dev") != NONE


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_a_deny_of_any_of_its_actions_closes_it(path: Documented) -> None:
    for action in needed(path):
        assert path.method not in world(path, path.actions, action).methods("dev"), action


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_a_boundary_a_condition_and_a_deny_by_a_tag_close_it(path: Documented) -> None:
    scene = world(path, ())
    few = scene.policy("Few", allow("s3:*"))
    team = {"aws:PrincipalTag/team": "none"}
    scene.user("bounded", allow(list(path.actions)), boundary=few)
    scene.user("unmatched", allow(list(path.actions), "*", StringEquals=team))
    scene.user("refused", allow(list(path.actions)), deny("*", "*", StringNotEquals=team))
    scene.user("open", allow(list(path.actions)))
    reached = {name: scene.becomes_administrator(name) for name in ("bounded", "unmatched", "refused")}
    assert reached == dict.fromkeys(reached, NONE)
    assert scene.becomes_administrator("open") != NONE


def needed(path: Documented) -> list[str]:
    """Its actions but those that are only one of several ways on."""
    spare = {
        "sts:AssumeRole",
        "sso:ProvisionPermissionSet",
        "iam:PassRole",
        "lambda:CreateFunction",
        "lambda:InvokeFunction",
    }
    return [
        action for action in path.actions if not (action in spare and not path.method.startswith("pass-role"))
    ]
