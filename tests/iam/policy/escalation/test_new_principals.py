"""Users and roles that someone creates for itself, with every permission: who can, and what closes it."""

from __future__ import annotations

from typing import Any

import pytest

from iam.policy.escalation.states import ADMINISTRATOR_ACCESS
from tests.iam.policy.escalation.builders import (
    CONDITIONAL,
    EVERYTHING,
    NONE,
    ONE,
    SURE,
    World,
    allow,
    deny,
    trust,
)

BOUNDARY = f"arn:aws:iam::{ONE}:policy/Boundary"
REQUIRED = {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
CREATED = (
    ("iam:CreateRole", "iam:PutRolePolicy"),
    ("iam:CreateRole", "iam:AttachRolePolicy"),
    ("iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey"),
    ("iam:CreateUser", "iam:PutUserPolicy", "iam:CreateLoginProfile"),
    ("iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"),
    ("iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateLoginProfile"),
    ("iam:CreateGroup", "iam:PutGroupPolicy", "iam:AddUserToGroup"),
    ("iam:CreateGroup", "iam:AttachGroupPolicy", "iam:AddUserToGroup"),
)


OWN: dict[str, str] = {
    "User": f"arn:aws:iam::{ONE}:user/new/*",
    "Login": f"arn:aws:iam::{ONE}:user/new/*",
    "AccessKey": f"arn:aws:iam::{ONE}:user/new/*",
}


def scoped(actions: Any, **conditions: Any) -> list[dict[str, Any]]:
    """Each action on new users only, where it is about users: on everything it would be a path of its own."""
    names = [actions] if isinstance(actions, str) else actions
    return [allow(name, _resource(name), **conditions) for name in names]


def _resource(action: str) -> str:
    return next((arn for word, arn in OWN.items() if word in action and "ToGroup" not in action), "*")


def world(*statements: dict[str, Any], boundary: tuple[dict[str, Any], ...] = (), **more: Any) -> World:
    world = World()
    world.policy("Boundary", *(boundary or (allow("s3:*"),)))
    world.group("admins", EVERYTHING)
    world.user("dev", *statements, **more)
    return world


@pytest.mark.parametrize("actions", CREATED, ids="+".join)
def test_a_principal_that_is_created_with_every_permission_is_an_administrator(
    actions: tuple[str, ...],
) -> None:
    world = World()
    world.user("dev", *scoped(actions))
    assert world.becomes_administrator("dev") == SURE
    path = world.path("dev")
    assert path is not None
    assert {ground.action for ground in path.steps[0].all_evidence} >= set(actions) - {"iam:AddUserToGroup"}


@pytest.mark.parametrize("actions", CREATED, ids="+".join)
def test_each_action_is_needed_to_create_one(actions: tuple[str, ...]) -> None:
    for missing in actions:
        # To join a group that exists is a path of its own, so that there is none here.
        world = World()
        world.user("dev", allow("s3:Get*"), *scoped([action for action in actions if action != missing]))
        assert world.becomes_administrator("dev") == NONE, missing


@pytest.mark.parametrize("actions", CREATED, ids="+".join)
def test_a_deny_or_an_scp_closes_it(actions: tuple[str, ...]) -> None:
    for denied in actions:
        world = World()
        attached = world.policy("Refusal", deny(denied))
        world.user("dev", *scoped(actions), attached=(attached,))
        assert world.becomes_administrator("dev") == NONE, denied
        world = World()
        world.user("dev", *scoped(actions))
        world.stand(deny(denied))
        assert world.becomes_administrator("dev") == NONE, denied


@pytest.mark.parametrize("actions", CREATED[:6], ids="+".join)
def test_a_name_that_fits_the_pattern_is_chosen(actions: tuple[str, ...]) -> None:
    kind = "role" if "Role" in actions[0] else "user"
    for pattern in (
        f"arn:aws:iam::{ONE}:{kind}/app-*",
        f"arn:aws:iam::*:{kind}/apps/*",
        f"arn:aws:iam::{ONE}:{kind}/app-?",
    ):
        scene = world(allow(list(actions), pattern))
        assert scene.becomes_administrator("dev") == SURE, pattern
        path = scene.path("dev")
        assert path is not None
        assert all(ground.explanation.decision.value == "allowed" for ground in path.steps[0].all_evidence)
    first, *others = actions
    apart = [
        allow(first, f"arn:aws:iam::{ONE}:{kind}/app-*"),
        allow(others, f"arn:aws:iam::{ONE}:{kind}/web-*"),
    ]
    assert world(*apart).becomes_administrator("dev") == NONE
    meeting = [
        allow(first, f"arn:aws:iam::{ONE}:{kind}/app-*"),
        allow(others, f"arn:aws:iam::{ONE}:{kind}/*-x"),
    ]
    assert world(*meeting).becomes_administrator("dev") == SURE


def test_a_principal_that_exists_cannot_be_created_again() -> None:
    arn = f"arn:aws:iam::{ONE}:role/app"
    scene = world(allow(["iam:CreateRole", "iam:PutRolePolicy"], arn))
    assert scene.becomes_administrator("dev") == SURE
    scene = world(allow(["iam:CreateRole", "iam:PutRolePolicy"], arn))
    scene.role("app", trusts={"Service": "ec2.amazonaws.com"})
    assert scene.becomes_administrator("dev") == NONE


@pytest.mark.parametrize("actions", CREATED[:6], ids="+".join)
def test_mfa_or_a_tag_in_the_request_makes_it_conditional(actions: tuple[str, ...]) -> None:
    mfa = scoped(actions, Bool={"aws:MultiFactorAuthPresent": "true"})
    assert world(*mfa).becomes_administrator("dev") == CONDITIONAL
    tagged = allow(list(actions[:1]), StringEquals={"aws:RequestTag/team": "dev"})
    assert world(tagged, *scoped(actions[1:])).becomes_administrator("dev") == CONDITIONAL


@pytest.mark.parametrize("actions", CREATED[:6], ids="+".join)
def test_a_required_boundary_closes_it(actions: tuple[str, ...]) -> None:
    """The example by which AWS introduces permissions boundaries, with and without its condition."""
    bounded = {
        "iam:CreateRole",
        "iam:CreateUser",
        "iam:PutRolePolicy",
        "iam:PutUserPolicy",
        "iam:AttachRolePolicy",
        "iam:AttachUserPolicy",
    }
    asks = [action for action in actions if action in bounded]
    others = [action for action in actions if action not in bounded] + ["s3:Get*"]
    scene = world(*scoped(asks, **REQUIRED), *scoped(others))
    assert scene.becomes_administrator("dev") == NONE
    assert world(*scoped(asks), *scoped(others)).becomes_administrator("dev") == SURE
    # A condition on the creation alone is enough, since the boundary stays.
    scene = world(*scoped(actions[0], **REQUIRED), *scoped(actions[1:]))
    assert scene.becomes_administrator("dev") == NONE
    # One on the policy alone is, too: without the boundary nothing can be added.
    scene = world(*scoped(actions[0]), *scoped(actions[1], **REQUIRED), *scoped(actions[2:]))
    assert scene.becomes_administrator("dev") == NONE


@pytest.mark.parametrize("actions", CREATED[:6], ids="+".join)
def test_a_boundary_that_can_be_removed_or_rewritten_does_not_close_it(actions: tuple[str, ...]) -> None:
    kind = "Role" if "Role" in actions[0] else "User"
    required = scoped(actions[:2], **REQUIRED)
    others = scoped(actions[2:])
    for action in (f"iam:Delete{kind}PermissionsBoundary", f"iam:Put{kind}PermissionsBoundary"):
        assert world(*required, *others, allow(action)).becomes_administrator("dev") == SURE, action
    rewrites = allow("iam:CreatePolicyVersion", BOUNDARY)
    assert world(*required, *others, rewrites).becomes_administrator("dev") == SURE
    elsewhere = allow("iam:CreatePolicyVersion", BOUNDARY + "2")
    assert world(*required, *others, elsewhere).becomes_administrator("dev") == NONE
    kept = allow(f"iam:Put{kind}PermissionsBoundary", **REQUIRED)
    assert world(*required, *others, kept).becomes_administrator("dev") == NONE
    refused = deny(f"iam:Delete{kind}PermissionsBoundary")
    scene = world(*required, *others, allow(f"iam:Delete{kind}PermissionsBoundary"), refused)
    assert scene.becomes_administrator("dev") == NONE


def test_a_new_user_joins_a_group_that_exists() -> None:
    for actions, expected in (
        (["iam:CreateUser", "iam:AddUserToGroup", "iam:CreateAccessKey"], SURE),
        (["iam:CreateUser", "iam:AddUserToGroup"], NONE),
        (["iam:AddUserToGroup", "iam:CreateAccessKey"], NONE),
    ):
        world = World()
        world.group("admins", EVERYTHING)
        world.role("dev", allow(actions), trusts={"Service": "ec2.amazonaws.com"})
        assert world.becomes_administrator("dev") == expected
    world = World()
    world.group("readers", allow("s3:*"))
    world.role("dev", allow(["iam:CreateUser", "iam:AddUserToGroup", "iam:CreateAccessKey"]))
    assert world.becomes_administrator("dev") == NONE


def test_a_boundary_that_leaves_a_way_leads_on() -> None:
    scene = world(
        allow(["iam:CreateRole", "iam:PutRolePolicy"], **REQUIRED), boundary=(allow("sts:AssumeRole"),)
    )
    scene.role("admin", EVERYTHING, trusts={"AWS": ONE})
    path = scene.path("dev")
    assert path is not None
    assert [len(step.acts) for step in path.steps] == [2, 1]
    assert scene.becomes_administrator("dev") == SURE
    scene = world(
        allow(["iam:CreateRole", "iam:PutRolePolicy"], **REQUIRED),
        boundary=(allow(["s3:*", "iam:DeleteRolePermissionsBoundary"]),),
    )
    assert scene.becomes_administrator("dev") == SURE


def test_any_boundary_is_met_by_one_that_allows_everything() -> None:
    exists = {"Null": {"iam:PermissionsBoundary": "false"}}
    scene = world(allow(["iam:CreateRole", "iam:AttachRolePolicy"], **exists))
    assert scene.becomes_administrator("dev") == SURE
    like = {"ArnLike": {"iam:PermissionsBoundary": "arn:aws:iam::*:policy/*"}}
    assert (
        world(allow(["iam:CreateRole", "iam:AttachRolePolicy"], **like)).becomes_administrator("dev") == SURE
    )
    assert ADMINISTRATOR_ACCESS


def test_a_new_role_is_passed_where_it_cannot_be_assumed() -> None:
    makes = allow(
        [
            "iam:CreateRole",
            "iam:AttachRolePolicy",
            "iam:PassRole",
            "lambda:CreateFunction",
            "lambda:InvokeFunction",
        ]
    )
    world = World()
    refusal = world.policy("Refusal", deny("sts:AssumeRole"))
    world.user("dev", makes, attached=(refusal,))
    assert world.becomes_administrator("dev") == SURE
    assert world.steps("dev") == [["iam-create-role-attach", "pass-role-lambda-invoke"]]
    world = World()
    refusal = world.policy("Refusal", deny(["sts:AssumeRole", "iam:PassRole"]))
    world.user("dev", makes, attached=(refusal,))
    assert world.becomes_administrator("dev") == NONE


def test_a_boundary_of_the_creator_does_not_bound_what_it_creates() -> None:
    world = World()
    boundary = world.policy("Mine", allow(["iam:CreateRole", "iam:PutRolePolicy", "sts:AssumeRole"]))
    world.user("dev", EVERYTHING, boundary=boundary)
    assert world.becomes_administrator("dev") == SURE


def test_a_policy_of_ones_own_is_attached_where_only_some_can_be() -> None:
    own = {"ArnLike": {"iam:PolicyARN": f"arn:aws:iam::{ONE}:policy/team-*"}}
    attach = allow("iam:AttachUserPolicy", f"arn:aws:iam::{ONE}:user/dev", **own)
    assert world(attach).becomes_administrator("dev") == NONE
    assert (
        world(attach, allow("iam:CreatePolicy", f"arn:aws:iam::{ONE}:policy/web-*")).becomes_administrator(
            "dev"
        )
        == NONE
    )
    scene = world(attach, allow("iam:CreatePolicy", f"arn:aws:iam::{ONE}:policy/team-*"))
    assert scene.steps("dev") == [["iam-attach-user-policy-new-policy"]]
    path = scene.path("dev")
    assert path is not None
    assert path.is_sure
    assert [ground.action for ground in path.steps[0].all_evidence] == [
        "iam:CreatePolicy",
        "iam:AttachUserPolicy",
    ]
    scene = world(attach, allow("iam:CreatePolicyVersion", f"arn:aws:iam::{ONE}:policy/*"))
    assert scene.becomes_administrator("dev") == NONE
    scene = world(attach, allow("iam:CreatePolicyVersion", f"arn:aws:iam::{ONE}:policy/*"))
    scene.policy("team-read", allow("s3:*"))
    assert scene.steps("dev") == [["iam-attach-user-policy-new-version"]]


def test_a_new_role_in_another_account_is_no_way_but_that_of_its_creator() -> None:
    scene = world(allow(["iam:CreateRole", "iam:PutRolePolicy"]))
    scene.user("other", allow("s3:*"))
    assert scene.becomes_administrator("other") == NONE
    assert trust({"AWS": ONE})


def test_the_step_says_what_is_created_and_who_it_becomes() -> None:
    scene = world(allow(["iam:CreateRole", "iam:PutRolePolicy"], f"arn:aws:iam::{ONE}:role/app-*"))
    path = scene.path("dev")
    assert path is not None
    assert [act.title for act in path.steps[0].acts] == [
        "Creates a role, for example app-x, and adds an inline policy to it",
        "Assumes app-x",
    ]
    assert {statement.policy for statement in path.closing} == {"own"}
