"""Conditions on tags, where the tags can be set: of what is taken over, and of the principal that asks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.iam.policy.escalation.builders import CONDITIONAL, EVERYTHING, NONE, ONE, SURE, World, allow, deny

OPEN = {"iam:ResourceTag/open": "yes"}
MINE = {"aws:PrincipalTag/team": "platform"}


def world(*statements: dict[str, Any], **tags: str) -> World:
    """An administrator of each sort and a policy, all with the tags, and a user with the statements."""
    world = World()
    world.role("admin", EVERYTHING, trusts={"AWS": ONE}, tags=tags)
    world.user("boss", EVERYTHING, tags=tags)
    policy = world.policy("Held", allow("s3:GetObject"))
    world.user("dev", *statements, attached=(policy,))
    return world


TARGETS = [
    ("iam-create-access-key-tagged", "iam:TagUser", "iam:CreateAccessKey"),
    ("iam-create-login-profile-tagged", "iam:TagUser", "iam:CreateLoginProfile"),
    ("iam-update-login-profile-tagged", "iam:TagUser", "iam:UpdateLoginProfile"),
    ("iam-put-user-policy-tagged", "iam:TagUser", "iam:PutUserPolicy"),
    ("iam-attach-user-policy-tagged", "iam:TagUser", "iam:AttachUserPolicy"),
    ("iam-update-assume-role-policy-tagged", "iam:TagRole", "iam:UpdateAssumeRolePolicy"),
    ("sts-assume-role-tagged", "iam:TagRole", "sts:AssumeRole"),
]


@pytest.mark.parametrize(("method", "tag", "action"), TARGETS)
def test_whoever_can_set_the_tag_meets_the_condition(method: str, tag: str, action: str) -> None:
    condition = allow(
        action, "*", StringEquals=OPEN if action.startswith("iam") else {"aws:ResourceTag/open": "yes"}
    )
    assert world(condition).becomes_administrator("dev") == NONE
    scene = world(condition, allow(tag))
    assert scene.methods("dev")[method] == CONDITIONAL
    assert scene.becomes_administrator("dev") == CONDITIONAL
    path = scene.path("dev")
    assert path is not None
    assert {tag, action} <= {ground.action for step in path.steps for ground in step.all_evidence}
    assert any("open" in condition for condition in path.conditions)
    assert path.steps[0].acts[0].title.startswith("Sets tags")


@pytest.mark.parametrize(("method", "tag", "action"), TARGETS)
def test_a_deny_of_either_action_closes_it(method: str, tag: str, action: str) -> None:
    condition = allow(action, "*", StringEquals={"aws:ResourceTag/open": "yes"})
    for refused in (tag, action):
        scene = world(condition, allow(tag), deny(refused))
        assert method not in scene.methods("dev")
        assert scene.becomes_administrator("dev") == NONE


def test_tags_that_may_be_set_of_others_only_change_nothing() -> None:
    key = allow("iam:CreateAccessKey", "*", StringEquals=OPEN)
    scene = world(key, allow("iam:TagUser", f"arn:aws:iam::{ONE}:user/somebody"))
    assert scene.becomes_administrator("dev") == NONE


def test_where_no_condition_asks_for_tags_none_are_set() -> None:
    scene = world(allow(["iam:CreateAccessKey", "iam:TagUser"]))
    assert scene.becomes_administrator("dev") == SURE
    assert not [name for name in scene.methods("dev") if name.endswith("-tagged")]


def test_who_has_the_tag_already_needs_no_other() -> None:
    scene = world(allow("iam:CreateAccessKey", "*", StringEquals=OPEN), open="yes")
    assert scene.becomes_administrator("dev") == SURE


@pytest.mark.parametrize("kind", ["user", "role"])
def test_tags_of_its_own_open_what_is_for_those_who_have_them(kind: str) -> None:
    for setting, reached in (((), NONE), ((allow(["iam:TagUser", "iam:TagRole"]),), CONDITIONAL)):
        world = World()
        world.user("boss", EVERYTHING)
        statements = (allow("iam:*", "*", StringEquals=MINE), *setting)
        if kind == "user":
            world.user("dev", *statements)
        else:
            world.role("dev", *statements)
        assert world.becomes_administrator("dev") == reached
    steps = world.steps("dev")
    assert steps is not None
    assert steps[0] == [f"iam-tag-{kind}"]


def test_tags_of_its_own_open_roles_that_trust_who_has_them() -> None:
    def trusting(*statements: dict[str, Any]) -> World:
        world = World()
        trust = {"Effect": "Allow", "Principal": {"AWS": ONE}, "Action": "sts:AssumeRole"}
        world.role("admin", EVERYTHING, trusts={**trust, "Condition": {"StringEquals": MINE}})
        world.user("dev", allow("sts:AssumeRole"), *statements)
        return world

    assert trusting().becomes_administrator("dev") == NONE
    own = allow("iam:TagUser", "arn:aws:iam::*:user/${aws:username}")
    world = trusting(own)
    assert world.becomes_administrator("dev") == CONDITIONAL
    path = world.path("dev")
    assert path is not None
    assert any("team" in condition for condition in path.conditions)
    assert trusting(own, deny("iam:TagUser")).becomes_administrator("dev") == NONE
    refused = deny("iam:TagUser", "*", StringLike={"aws:RequestTag/team": "*"})
    assert trusting(own, refused).becomes_administrator("dev") != SURE


def test_a_boundary_without_the_right_to_set_tags_closes_it() -> None:
    world = World()
    world.user("boss", EVERYTHING)
    few = world.policy("Few", allow("iam:CreateAccessKey"))
    both = allow("iam:CreateAccessKey", "*", StringEquals=OPEN), allow("iam:TagUser")
    world.user("bounded", *both, boundary=few)
    world.user("open", *both)
    assert world.becomes_administrator("bounded") == NONE
    assert world.becomes_administrator("open") == CONDITIONAL
