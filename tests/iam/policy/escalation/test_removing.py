"""A deny that blocks a principal, and that it, or someone who becomes it, can take away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iam.policy.escalation.states import Facts
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


def inline(found: World, action: str) -> None:
    allowed = found.policy(
        "Allowed", allow(["iam:*", "s3:*"]) if action == "all" else allow([action, *POWER])
    )
    found.user("dev", BLOCKED, attached=(allowed,))


POWER = ["iam:PutUserPolicy", "s3:*"]


def attached(found: World, action: str) -> None:
    refusal = found.policy("Refusal", BLOCKED)
    found.user("dev", allow([action, *POWER]), attached=(refusal,))


def in_group(found: World, action: str) -> None:
    group = found.group("blocked", BLOCKED)
    found.user("dev", allow([action, *POWER]), groups=(group,))


def in_group_attached(found: World, action: str) -> None:
    refusal = found.policy("Refusal", BLOCKED)
    group = found.group("blocked", attached=(refusal,))
    found.user("dev", allow([action, *POWER]), groups=(group,))


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
    found = World()
    placed(found, action)
    assert found.becomes_administrator("dev") == SURE
    steps = found.steps("dev")
    assert steps is not None
    assert steps[0] == [method]
    path = found.path("dev")
    assert path is not None
    assert path.closing


@pytest.mark.parametrize(("method", "action", "placed"), CASES)
def test_without_the_action_the_deny_stays(method: str, action: str, placed: Placed) -> None:
    found = World()
    placed(found, "iam:GetUser")
    assert found.becomes_administrator("dev") == NONE
    assert method not in found.methods("dev")


@pytest.mark.parametrize(("method", "action", "placed"), CASES)
def test_a_deny_of_the_removal_or_an_scp_keeps_it(method: str, action: str, placed: Placed) -> None:
    found = World()
    placed(found, action)
    found.stand(deny(action))
    assert found.becomes_administrator("dev") == NONE


@pytest.mark.parametrize(("method", "action", "placed"), CASES)
def test_a_condition_makes_it_conditional(method: str, action: str, placed: Placed) -> None:
    found = World()
    placed(found, action)
    found.stand(deny(action, BoolIfExists={"aws:MultiFactorAuthPresent": "false"}))
    assert found.becomes_administrator("dev") == CONDITIONAL


def test_who_gains_nothing_by_it_does_not_get_there() -> None:
    found = World()
    refusal = found.policy("Refusal", deny("ec2:*"))
    found.user("dev", allow(["iam:DetachUserPolicy", "s3:*"]), attached=(refusal,))
    assert found.becomes_administrator("dev") == NONE


def test_an_inline_policy_that_denies_is_overwritten() -> None:
    found = World()
    allowed = found.policy("Allowed", allow(["iam:PutUserPolicy"]))
    found.user(
        "dev", deny(["iam:CreateUser", "iam:AttachUserPolicy", "iam:PutRolePolicy"]), attached=(allowed,)
    )
    assert found.steps("dev") == [["iam-put-user-policy"]]
    found = World()
    only = {"Effect": "Deny", "NotAction": "iam:PutUserPolicy", "Resource": "*"}
    refusal = found.policy("Refusal", only)
    found.user("dev", allow("iam:PutUserPolicy"), attached=(refusal,))
    assert found.becomes_administrator("dev") == NONE


def test_a_new_version_replaces_what_the_policy_denied() -> None:
    found = World()
    policy = found.policy(
        "Team", allow("iam:CreatePolicyVersion"), deny(["iam:CreateUser", "iam:PutUserPolicy"])
    )
    found.user("dev", attached=(policy,))
    assert found.steps("dev") == [["iam-create-policy-version"]]
    found = World()
    policy = found.policy(
        "Team", allow("iam:CreatePolicyVersion"), deny(["iam:CreateUser", "iam:PutUserPolicy"])
    )
    found.user("dev", groups=(found.group("team", attached=(policy,)),))
    assert found.steps("dev") == [["iam-create-policy-version"]]


def test_an_older_version_replaces_what_the_policy_of_a_group_denied() -> None:
    older = text(EVERYTHING)
    found = World()
    policy = found.policy("Team", allow("iam:SetDefaultPolicyVersion"), deny("iam:CreateUser"))
    found.organisation.digest(older)
    found.user("dev", groups=(found.group("team", attached=(policy,)),))
    found.facts = Facts(versions={policy: (digest_of(older),)})
    assert found.steps("dev") == [["iam-set-default-policy-version"]]


def test_the_deny_of_a_role_is_removed_by_who_assumes_it() -> None:
    for action, closed in (("iam:DeleteRolePolicy", False), ("iam:GetRole", True)):
        found = World()
        everything = found.policy("Everything", EVERYTHING)
        kept = deny(["iam:Delete*", "iam:Detach*"])
        found.role("ops", BLOCKED, kept, trusts={"AWS": ONE}, attached=(everything,))
        found.user("dev", allow(["sts:AssumeRole", action]))
        assert found.becomes_administrator("dev") == (NONE if closed else SURE)
    found = World()
    everything, refusal = found.policy("Everything", EVERYTHING), found.policy("Refusal", BLOCKED)
    found.role("ops", trusts={"AWS": ONE}, attached=(everything, refusal))
    found.user("dev", allow(["sts:AssumeRole", "iam:DetachRolePolicy"]))
    steps = found.steps("dev")
    assert steps is not None
    assert steps[0] == ["iam-detach-role-policy", "sts-assume-role"]


def test_several_denies_have_to_be_removed_all() -> None:
    for actions, expected in (
        (["iam:DetachUserPolicy", "iam:RemoveUserFromGroup"], SURE),
        (["iam:DetachUserPolicy"], NONE),
        (["iam:RemoveUserFromGroup"], NONE),
    ):
        found = World()
        refusal = found.policy("Refusal", BLOCKED)
        group = found.group("blocked", BLOCKED)
        found.user("dev", allow([*actions, *POWER]), attached=(refusal,), groups=(group,))
        assert found.becomes_administrator("dev") == expected, actions


def test_what_may_be_detached_is_limited_by_the_policy() -> None:
    for name, expected in (("Refusal", SURE), ("Other", NONE)):
        found = World()
        refusal = found.policy("Refusal", BLOCKED)
        only = {"ArnEquals": {"iam:PolicyARN": f"arn:aws:iam::{ONE}:policy/{name}"}}
        found.user("dev", allow("iam:DetachUserPolicy", **only), allow(POWER), attached=(refusal,))
        assert found.becomes_administrator("dev") == expected


def test_what_a_group_allows_is_lost_with_the_group() -> None:
    found = World()
    group = found.group("blocked", BLOCKED, allow(POWER))
    found.user("dev", allow("iam:RemoveUserFromGroup"), groups=(group,))
    assert found.becomes_administrator("dev") == NONE
