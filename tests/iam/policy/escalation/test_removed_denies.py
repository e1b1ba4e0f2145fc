"""A deny that blocks a principal, and that it, or someone who becomes it, can take away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iam.policy.escalation.states import OutsideFacts
from tests.iam.policy.escalation.builders import (
    CONDITIONAL,
    EVERYTHING,
    NONE,
    ONE,
    SURE,
    World,
    allow,
    deny,
    digest_of,
    text,
)

BLOCKED = deny(
    [
        "iam:PutUserPolicy",
        "iam:CreateUser",
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:AttachUserPolicy",
        "iam:AttachRolePolicy",
        "iam:CreatePolicyVersion",
        "iam:SetDefaultPolicyVersion",
        "iam:CreateAccessKey",
        "iam:PutGroupPolicy",
        "iam:AttachGroupPolicy",
        "iam:AddUserToGroup",
        "iam:UpdateAssumeRolePolicy",
        "iam:PassRole",
        "sts:AssumeRole",
    ]
)
"""Enough to make nobody an administrator."""
Placed = Callable[[World, str], None]


def inline(world: World, action: str) -> None:
    allowed = world.policy(
        "Allowed", allow(["iam:*", "s3:*"]) if action == "all" else allow([action, *POWER])
    )
    world.user("dev", BLOCKED, attached=(allowed,))


POWER = ["iam:PutUserPolicy", "s3:*"]


def attached(world: World, action: str) -> None:
    refusal = world.policy("Refusal", BLOCKED)
    world.user("dev", allow([action, *POWER]), attached=(refusal,))


def in_group(world: World, action: str) -> None:
    group = world.group("blocked", BLOCKED)
    world.user("dev", allow([action, *POWER]), groups=(group,))


def in_group_attached(world: World, action: str) -> None:
    refusal = world.policy("Refusal", BLOCKED)
    group = world.group("blocked", attached=(refusal,))
    world.user("dev", allow([action, *POWER]), groups=(group,))


CASES: tuple[tuple[str, str, Placed], ...] = (
    ("iam-delete-user-policy", "iam:DeleteUserPolicy", inline),
    ("iam-detach-user-policy", "iam:DetachUserPolicy", attached),
    ("iam-delete-group-policy", "iam:DeleteGroupPolicy", in_group),
    ("iam-detach-group-policy", "iam:DetachGroupPolicy", in_group_attached),
    ("iam-remove-user-from-group", "iam:RemoveUserFromGroup", in_group),
    ("iam-remove-user-from-group", "iam:RemoveUserFromGroup", in_group_attached),
)


@pytest.mark.parametrize(("method", "action", "placed"), CASES)
def test_a_deny_that_one_can_remove_blocks_nothing(method: str, action: str, placed: Placed) -> None:
    world = World()
    placed(world, action)
    assert world.becomes_administrator("dev") == SURE
    steps = world.steps("dev")
    assert steps is not None
    assert steps[0] == [method]
    path = world.path("dev")
    assert path is not None
    assert path.closing


@pytest.mark.parametrize(("method", "action", "placed"), CASES)
def test_without_the_action_the_deny_stays(method: str, action: str, placed: Placed) -> None:
    world = World()
    placed(world, "iam:GetUser")
    assert world.becomes_administrator("dev") == NONE
    assert method not in world.methods("dev")


@pytest.mark.parametrize(("method", "action", "placed"), CASES)
def test_a_deny_of_the_removal_or_an_scp_keeps_it(method: str, action: str, placed: Placed) -> None:
    world = World()
    placed(world, action)
    world.stand(deny(action))
    assert world.becomes_administrator("dev") == NONE


@pytest.mark.parametrize(("method", "action", "placed"), CASES)
def test_a_condition_makes_it_conditional(method: str, action: str, placed: Placed) -> None:
    world = World()
    placed(world, action)
    world.stand(deny(action, BoolIfExists={"aws:MultiFactorAuthPresent": "false"}))
    assert world.becomes_administrator("dev") == CONDITIONAL


def test_who_gains_nothing_by_it_does_not_get_there() -> None:
    world = World()
    refusal = world.policy("Refusal", deny("ec2:*"))
    world.user("dev", allow(["iam:DetachUserPolicy", "s3:*"]), attached=(refusal,))
    assert world.becomes_administrator("dev") == NONE


def test_an_inline_policy_that_denies_is_overwritten() -> None:
    world = World()
    allowed = world.policy("Allowed", allow(["iam:PutUserPolicy"]))
    world.user(
        "dev", deny(["iam:CreateUser", "iam:AttachUserPolicy", "iam:PutRolePolicy"]), attached=(allowed,)
    )
    assert world.steps("dev") == [["iam-put-user-policy"]]
    world = World()
    only = {"Effect": "Deny", "NotAction": "iam:PutUserPolicy", "Resource": "*"}
    refusal = world.policy("Refusal", only)
    world.user("dev", allow("iam:PutUserPolicy"), attached=(refusal,))
    assert world.becomes_administrator("dev") == NONE


def test_a_new_version_replaces_what_the_policy_denied() -> None:
    world = World()
    policy = world.policy(
        "Team", allow("iam:CreatePolicyVersion"), deny(["iam:CreateUser", "iam:PutUserPolicy"])
    )
    world.user("dev", attached=(policy,))
    assert world.steps("dev") == [["iam-create-policy-version"]]
    world = World()
    policy = world.policy(
        "Team", allow("iam:CreatePolicyVersion"), deny(["iam:CreateUser", "iam:PutUserPolicy"])
    )
    world.user("dev", groups=(world.group("team", attached=(policy,)),))
    assert world.steps("dev") == [["iam-create-policy-version"]]


def test_an_older_version_replaces_what_the_policy_of_a_group_denied() -> None:
    older = text(EVERYTHING)
    world = World()
    policy = world.policy("Team", allow("iam:SetDefaultPolicyVersion"), deny("iam:CreateUser"))
    world.organisation.digest(older)
    world.user("dev", groups=(world.group("team", attached=(policy,)),))
    world.facts = OutsideFacts(versions={policy: (digest_of(older),)})
    assert world.steps("dev") == [["iam-set-default-policy-version"]]


def test_the_deny_of_a_role_is_removed_by_who_assumes_it() -> None:
    for action, closed in (("iam:DeleteRolePolicy", False), ("iam:GetRole", True)):
        world = World()
        everything = world.policy("Everything", EVERYTHING)
        kept = deny(["iam:Delete*", "iam:Detach*"])
        world.role("ops", BLOCKED, kept, trusts={"AWS": ONE}, attached=(everything,))
        world.user("dev", allow(["sts:AssumeRole", action]))
        assert world.becomes_administrator("dev") == (NONE if closed else SURE)
    world = World()
    everything, refusal = world.policy("Everything", EVERYTHING), world.policy("Refusal", BLOCKED)
    world.role("ops", trusts={"AWS": ONE}, attached=(everything, refusal))
    world.user("dev", allow(["sts:AssumeRole", "iam:DetachRolePolicy"]))
    steps = world.steps("dev")
    assert steps is not None
    assert steps[0] == ["iam-detach-role-policy", "sts-assume-role"]


def test_several_denies_have_to_be_removed_all() -> None:
    for actions, expected in (
        (["iam:DetachUserPolicy", "iam:RemoveUserFromGroup"], SURE),
        (["iam:DetachUserPolicy"], NONE),
        (["iam:RemoveUserFromGroup"], NONE),
    ):
        world = World()
        refusal = world.policy("Refusal", BLOCKED)
        group = world.group("blocked", BLOCKED)
        world.user("dev", allow([*actions, *POWER]), attached=(refusal,), groups=(group,))
        assert world.becomes_administrator("dev") == expected, actions


def test_what_may_be_detached_is_limited_by_the_policy() -> None:
    for name, expected in (("Refusal", SURE), ("Other", NONE)):
        world = World()
        refusal = world.policy("Refusal", BLOCKED)
        only = {"ArnEquals": {"iam:PolicyARN": f"arn:aws:iam::{ONE}:policy/{name}"}}
        world.user("dev", allow("iam:DetachUserPolicy", **only), allow(POWER), attached=(refusal,))
        assert world.becomes_administrator("dev") == expected


def test_what_a_group_allows_is_lost_with_the_group() -> None:
    world = World()
    group = world.group("blocked", BLOCKED, allow(POWER))
    world.user("dev", allow("iam:RemoveUserFromGroup"), groups=(group,))
    assert world.becomes_administrator("dev") == NONE
