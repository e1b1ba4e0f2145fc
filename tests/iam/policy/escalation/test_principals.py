"""Ways from principal to principal within IAM: roles taken, credentials made, policies written, boundaries
taken away.
"""

from __future__ import annotations

import pytest

from iam.policy.escalation.states import OutsideFacts
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
    digest_of,
    text,
    trust,
)

ADMIN = f"arn:aws:iam::{ONE}:role/admin"
USER = f"arn:aws:iam::{ONE}:user/boss"
OWN = "arn:aws:iam::*:user/${aws:username}"


def with_role(*statements: object, trusts: object = None) -> World:
    world = World()
    world.role("admin", EVERYTHING, trusts=trusts or {"AWS": ONE})
    world.user("dev", *statements)  # type: ignore[arg-type]
    return world


def with_user(*statements: object) -> World:
    world = World()
    world.user("boss", EVERYTHING)
    world.user("dev", *statements)  # type: ignore[arg-type]
    return world


def test_an_administrator_has_no_step_to_go() -> None:
    world = with_role()
    path = world.path("admin")
    assert path is not None
    assert path.steps == ()


def test_a_role_is_taken_where_trust_and_policy_both_allow_it() -> None:
    assert with_role(allow("sts:AssumeRole", ADMIN)).steps("dev") == [["sts-assume-role"]]
    assert with_role(allow("sts:AssumeRole", ADMIN + "x")).steps("dev") is None
    assert with_role(trusts={"AWS": f"arn:aws:iam::{ONE}:user/dev"}).steps("dev") == [["sts-assume-role"]]
    assert with_role(allow("sts:AssumeRole"), trusts={"AWS": TWO}).steps("dev") is None
    assert with_role(allow("sts:AssumeRole"), trusts={"Service": "ec2.amazonaws.com"}).steps("dev") is None
    assert with_role(allow("sts:AssumeRole"), deny("sts:*")).steps("dev") is None


def test_a_role_of_another_account_needs_both_sides() -> None:
    for trusts, statement, expected in (
        ({"AWS": TWO}, allow("sts:AssumeRole", ADMIN), SURE),
        ({"AWS": f"arn:aws:iam::{TWO}:user/dev"}, allow("s3:*"), NONE),
        ({"AWS": "333333333333"}, allow("sts:AssumeRole"), NONE),
        ("*", allow("sts:AssumeRole"), SURE),
        (trust({"AWS": TWO}, StringEquals={"sts:ExternalId": "x"}), allow("sts:AssumeRole"), CONDITIONAL),
        (
            trust({"AWS": TWO}, Bool={"aws:MultiFactorAuthPresent": "true"}),
            allow("sts:AssumeRole"),
            CONDITIONAL,
        ),
    ):
        world = World()
        world.role("admin", EVERYTHING, trusts=trusts)
        world.user("dev", statement, account=TWO)
        assert world.becomes_administrator("dev") == expected, trusts


def test_a_chain_over_three_accounts_is_followed() -> None:
    world = World()
    world.role("admin", EVERYTHING, trusts={"AWS": TWO})
    world.role("middle", allow("sts:AssumeRole", ADMIN), trusts={"AWS": "333333333333"}, account=TWO)
    world.user("dev", allow("sts:AssumeRole", f"arn:aws:iam::{TWO}:role/middle"), account="333333333333")
    assert world.steps("dev") == [["sts-assume-role"], ["sts-assume-role"]]


def test_roles_that_take_each_other_lead_nowhere_by_that() -> None:
    world = World()
    world.role("one", allow("sts:AssumeRole"), trusts={"AWS": ONE})
    world.role("two", allow("sts:AssumeRole"), trusts={"AWS": ONE})
    assert world.steps("one") is None
    assert world.steps("one", "two") == [["sts-assume-role"]]
    assert world.steps("one", "one") == []


def test_a_trust_policy_is_rewritten_and_the_role_taken() -> None:
    rewrite = allow("iam:UpdateAssumeRolePolicy", ADMIN)
    closed = {"Service": "ec2.amazonaws.com"}
    assert with_role(rewrite, trusts=closed).steps("dev") == [["iam-update-assume-role-policy"]]
    assert with_role(rewrite, deny("sts:AssumeRole"), trusts=closed).steps("dev") is None
    assert with_role(allow("iam:UpdateAssumeRolePolicy", ADMIN + "x"), trusts=closed).steps("dev") is None


@pytest.mark.parametrize("path", ["aws-service-role/ec2.amazonaws.com/", "aws-reserved/sso.amazonaws.com/"])
def test_roles_that_iam_keeps_to_itself_are_not_edited(path: str) -> None:
    world = World()
    world.role(f"{path}admin", EVERYTHING, trusts={"Service": "ec2.amazonaws.com"})
    world.user(
        "dev", allow(["iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy"], f"arn:aws:iam::{ONE}:role/aws-*")
    )
    assert world.becomes_administrator("dev") == NONE


@pytest.mark.parametrize(
    ("method", "action"),
    [
        ("iam-create-access-key", "iam:CreateAccessKey"),
        ("iam-create-login-profile", "iam:CreateLoginProfile"),
        ("iam-update-login-profile", "iam:UpdateLoginProfile"),
    ],
)
def test_credentials_are_made_of_another_user(method: str, action: str) -> None:
    assert with_user(allow(action, USER)).steps("dev") == [[method]]
    assert with_user(allow(action, USER + "x")).steps("dev") is None
    assert with_user(allow(action, OWN)).steps("dev") is None
    assert with_user(allow(action), deny(action, USER)).steps("dev") is None
    mfa = allow(action, USER, Bool={"aws:MultiFactorAuthPresent": "true"})
    assert with_user(mfa).becomes_administrator("dev") == CONDITIONAL


def test_a_password_is_made_where_there_is_none_and_set_anew_where_there_is_one() -> None:
    world = with_user(allow(["iam:CreateLoginProfile", "iam:UpdateLoginProfile"], USER))
    world.facts = OutsideFacts(passwords={world.arns["boss"][1]: False})
    assert set(world.methods("dev")) == {"iam-create-login-profile"}
    world = with_user(allow(["iam:CreateLoginProfile", "iam:UpdateLoginProfile"], USER))
    world.facts = OutsideFacts(passwords={world.arns["boss"][1]: True})
    assert set(world.methods("dev")) == {"iam-update-login-profile"}


@pytest.mark.parametrize(
    ("method", "action"),
    [("iam-put-user-policy", "iam:PutUserPolicy"), ("iam-attach-user-policy", "iam:AttachUserPolicy")],
)
def test_a_user_gives_itself_everything(method: str, action: str) -> None:
    for resource in (OWN, f"arn:aws:iam::{ONE}:user/dev", "*"):
        assert with_user(allow(action, resource)).steps("dev") == [[method]], resource
    assert with_user(allow(action, f"arn:aws:iam::{ONE}:user/dev2")).steps("dev") is None
    assert with_user(allow(action, OWN), deny("iam:*", f"arn:aws:iam::{ONE}:user/dev")).steps("dev") is None
    assert with_user(allow(action, "arn:aws:iam::*:user/people/${aws:username}")).steps("dev") is None


def test_only_some_policies_may_be_attached() -> None:
    for arn, expected in (("ReadOnlyAccess", NONE), ("Admin*", SURE), ("IAMFull*", SURE)):
        condition = {"iam:PolicyARN": f"arn:aws:iam::aws:policy/{arn}"}
        world = with_user(allow("iam:AttachUserPolicy", OWN, ArnLike=condition))
        assert world.becomes_administrator("dev") == expected, arn


def test_a_deny_of_one_policy_leaves_others_that_do_as_well() -> None:
    refused = deny("iam:AttachUserPolicy", "*", ArnLike={"iam:PolicyARN": "arn:aws:iam::aws:policy/*"})
    world = with_user(allow("iam:AttachUserPolicy", OWN), refused)
    assert world.becomes_administrator("dev") == NONE
    world = with_user(allow("iam:AttachUserPolicy", OWN), refused)
    world.policy("Legacy", EVERYTHING)
    assert world.becomes_administrator("dev") == SURE


@pytest.mark.parametrize(
    ("method", "action"),
    [("iam-put-role-policy", "iam:PutRolePolicy"), ("iam-attach-role-policy", "iam:AttachRolePolicy")],
)
def test_a_role_is_given_everything_by_itself_or_by_whoever_takes_it(method: str, action: str) -> None:
    world = World()
    world.role("app", allow(action, f"arn:aws:iam::{ONE}:role/app"), trusts={"Service": "ec2.amazonaws.com"})
    assert world.steps("app") == [[method]]
    world = World()
    world.role("app", allow("s3:*"), trusts={"AWS": ONE})
    world.user("dev", allow(["sts:AssumeRole", action], f"arn:aws:iam::{ONE}:role/app"))
    world.user("half", allow(action))
    assert world.steps("dev") == [[method, "sts-assume-role"]]
    assert world.becomes_administrator("half") == NONE


@pytest.mark.parametrize(
    ("method", "action"),
    [("iam-put-group-policy", "iam:PutGroupPolicy"), ("iam-attach-group-policy", "iam:AttachGroupPolicy")],
)
def test_a_group_gives_its_members_what_they_write_for_it(method: str, action: str) -> None:
    world = World()
    mine, other = world.group("mine", allow("s3:*")), world.group("other", allow("s3:*"))
    world.user("dev", allow(action, f"arn:aws:iam::{ONE}:group/mine"), groups=(mine,))
    world.user("outside", allow(action, f"arn:aws:iam::{ONE}:group/mine"), groups=(other,))
    assert world.steps("dev") == [[method]]
    assert world.becomes_administrator("outside") == NONE


def test_the_path_of_a_group_has_to_fit() -> None:
    world = World()
    mine = world.group("mine", allow("iam:PutGroupPolicy", f"arn:aws:iam::{ONE}:group/teams/*"))
    world.user("dev", groups=(mine,))
    assert world.becomes_administrator("dev") == NONE
    world.facts = OutsideFacts(group_arns={mine: f"arn:aws:iam::{ONE}:group/teams/mine"})
    assert world.changed().becomes_administrator("dev") == SURE


def test_a_new_version_of_a_policy_that_one_holds_says_everything() -> None:
    arn = f"arn:aws:iam::{ONE}:policy/Team"
    for resource, owner, expected in ((arn, "", SURE), (arn + "x", "", NONE), ("*", "aws", NONE)):
        world = World()
        policy = world.policy("Team", allow("s3:*"), owner=owner)
        world.user("dev", allow("iam:CreatePolicyVersion", resource), attached=(policy,))
        assert world.becomes_administrator("dev") == expected, resource
    world = World()
    policy = world.policy("Team", allow("iam:CreatePolicyVersion", arn))
    world.user("dev", groups=(world.group("team", attached=(policy,)),))
    assert world.steps("dev") == [["iam-create-policy-version"]]


def test_an_older_version_is_restored_where_it_says_more() -> None:
    arn = f"arn:aws:iam::{ONE}:policy/Team"
    for older, expected in ((text(EVERYTHING), SURE), (text(allow("s3:*")), NONE)):
        world = World()
        policy = world.policy("Team", allow("iam:SetDefaultPolicyVersion", arn))
        world.organisation.digest(older)
        world.user("dev", attached=(policy,))
        world.facts = OutsideFacts(versions={policy: (digest_of(older),)})
        assert world.becomes_administrator("dev") == expected
        assert world.methods("dev") == {"iam-set-default-policy-version": SURE}


def test_versions_that_are_not_known_are_said_to_be_left_out() -> None:
    world = with_user()
    assert "versions" in {limit.kind for limit in world.graph.limitations()}


def test_a_user_joins_a_group_that_has_more() -> None:
    world = World()
    admins = world.group("admins", EVERYTHING)
    world.group("readers", allow("s3:Get*"))
    world.user("dev", allow("iam:AddUserToGroup", f"arn:aws:iam::{ONE}:group/admins"))
    world.user("reader", allow("iam:AddUserToGroup", f"arn:aws:iam::{ONE}:group/readers"))
    world.role("app", allow("iam:AddUserToGroup"), trusts={"Service": "ec2.amazonaws.com"})
    assert world.steps("dev") == [["iam-add-user-to-group"]]
    assert world.becomes_administrator("reader") == NONE
    assert world.becomes_administrator("app") == NONE
    assert admins


def test_what_a_group_adds_is_put_together_with_what_one_has() -> None:
    world = World()
    world.group("passers", allow("iam:PassRole"))
    world.role("admin", EVERYTHING, trusts={"Service": "lambda.amazonaws.com"})
    world.user("dev", allow(["iam:AddUserToGroup", "lambda:CreateFunction", "lambda:InvokeFunction"]))
    assert world.steps("dev") == [["iam-add-user-to-group"], ["pass-role-lambda-invoke"]]


def test_a_boundary_still_bounds_what_one_gives_oneself() -> None:
    world = World()
    boundary = world.policy("Boundary", allow(["s3:*", "iam:PutUserPolicy"]))
    world.user("dev", allow("iam:PutUserPolicy", OWN), boundary=boundary)
    assert world.methods("dev") == {"iam-put-user-policy": SURE}
    assert world.becomes_administrator("dev") == NONE


@pytest.mark.parametrize(
    ("method", "action"),
    [
        ("iam-delete-user-permissions-boundary", "iam:DeleteUserPermissionsBoundary"),
        ("iam-put-user-permissions-boundary", "iam:PutUserPermissionsBoundary"),
    ],
)
def test_a_boundary_that_is_taken_away_bounds_nothing(method: str, action: str) -> None:
    world = World()
    boundary = world.policy("Boundary", allow(["s3:*", "iam:PutUserPolicy", action]))
    world.user("dev", EVERYTHING, boundary=boundary)
    world.user("other", allow([action, "iam:PutUserPolicy"], OWN), boundary=boundary)
    kept = world.policy("Kept", deny(action))
    world.user("held", EVERYTHING, boundary=boundary, attached=(kept,))
    assert world.steps("dev") == [[method]]
    steps = world.steps("other")
    assert steps is not None
    assert sorted(steps) == sorted([[method], ["iam-put-user-policy"]])
    assert world.becomes_administrator("held") == NONE


def test_the_boundary_of_a_role_is_taken_away_by_whoever_takes_the_role() -> None:
    for action in ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"):
        world = World()
        boundary = world.policy("Boundary", allow("s3:*"))
        world.role("app", EVERYTHING, trusts={"AWS": ONE}, boundary=boundary)
        world.user("dev", allow(["sts:AssumeRole", action]))
        world.user("half", allow(["sts:AssumeRole"]))
        assert world.becomes_administrator("dev") == SURE
        assert world.becomes_administrator("half") == NONE


def test_a_boundary_may_be_exchanged_for_a_narrow_one_only() -> None:
    world = World()
    boundary = world.policy("Boundary", allow(["s3:*", "iam:PutUserPermissionsBoundary"]))
    condition = {"iam:PermissionsBoundary": f"arn:aws:iam::{ONE}:policy/Boundary"}
    world.user("dev", allow("*"), deny("iam:*", ArnNotEquals=condition), boundary=boundary)
    assert world.becomes_administrator("dev") == NONE


def test_the_policy_of_the_boundary_is_widened() -> None:
    world = World()
    boundary = world.policy("Boundary", allow(["s3:*", "iam:CreatePolicyVersion"]))
    world.user("dev", EVERYTHING, boundary=boundary)
    assert world.steps("dev") == [["iam-create-policy-version"]]


def test_who_may_edit_only_those_with_a_boundary_does_not_escape_it() -> None:
    world = World()
    boundary = world.policy("Boundary", allow("s3:*"))
    arn = f"arn:aws:iam::{ONE}:policy/Boundary"
    edits = allow(
        ["iam:PutUserPolicy", "iam:CreateUser", "iam:CreateAccessKey"],
        StringEquals={"iam:PermissionsBoundary": arn},
    )
    world.user("delegate", edits)
    world.user("bounded", boundary=boundary)
    world.user("boss", EVERYTHING)
    assert world.becomes_administrator("delegate") == NONE


def test_an_scp_bounds_what_is_gained_but_not_in_the_management_account() -> None:
    for is_management, expected in ((False, NONE), (True, SURE)):
        world = with_user(allow("iam:PutUserPolicy", OWN))
        world.stand(deny("iam:PutUserPolicy"), is_management=is_management)
        assert world.becomes_administrator("dev") == expected


def test_what_an_scp_leaves_nobody_an_administrator_need_not_have() -> None:
    world = with_user(allow("iam:PutUserPolicy", OWN))
    world.stand(deny(["iam:CreateUser", "iam:CreateAccessKey", "organizations:*"]))
    assert world.becomes_administrator("boss") == SURE
    assert world.steps("dev") == [["iam-put-user-policy"]]


def test_where_the_organization_leaves_nobody_iam_there_are_no_administrators_and_that_is_said() -> None:
    world = with_user(allow("iam:PutUserPolicy", OWN))
    world.stand(deny(["iam:*", "organizations:*"]))
    assert world.becomes_administrator("boss") == NONE
    assert "no-administrators" in {limit.kind for limit in world.graph.limitations()}


def test_iam_alone_makes_an_administrator_and_power_does_not() -> None:
    world = World()
    world.user("iam", allow("iam:*"))
    world.user("power", {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"})
    world.user("some", allow("iam:*", f"arn:aws:iam::{ONE}:user/people/*"))
    world.user("mfa", allow("iam:*", Bool={"aws:MultiFactorAuthPresent": "true"}))
    assert [world.becomes_administrator(name) for name in ("iam", "power", "some", "mfa")] == [
        SURE, NONE, SURE, CONDITIONAL,
    ]  # fmt: skip
    # Anyone who creates a user under people/ with every permission is not yet an administrator.
    assert [len(world.steps(name) or ()) for name in ("iam", "some")] == [0, 1]


@pytest.mark.parametrize(
    ("method", "actions"),
    [
        ("sso-create-permission-set", [(
            "sso:CreatePermissionSet"
        ), "sso:AttachManagedPolicyToPermissionSet", "sso:CreateAccountAssignment"]),
        ("sso-attach-managed-policy", ["sso:AttachManagedPolicyToPermissionSet"]),
        ("sso-put-inline-policy", ["sso:PutInlinePolicyToPermissionSet"]),
    ],
)  # fmt: skip
def test_permission_sets_lead_from_the_management_account_to_all(method: str, actions: list[str]) -> None:
    world = World()
    world.user("dev", allow(actions))
    world.user("boss", EVERYTHING, account=TWO)
    world.stand(is_management=True)
    world.stand(account=TWO)
    assert world.methods("dev")[method] == CONDITIONAL
    assert world.becomes_administrator("dev") == CONDITIONAL
    alone = World()
    alone.user("dev", allow(actions))
    alone.stand()
    assert alone.becomes_administrator("dev") == NONE


def test_from_anybody_to_anybody_administrators_reach_all_of_their_account() -> None:
    world = World()
    world.user("boss", EVERYTHING)
    world.user("clerk", allow("s3:*"))
    world.user("dev", allow("iam:CreateAccessKey", USER))
    assert world.steps("dev", "clerk") == [["iam-create-access-key"], []]
    assert world.steps("clerk", "dev") is None


def test_the_root_user_is_nobodys_next_step_and_no_start() -> None:
    world = with_user(allow("iam:CreateAccessKey", USER))
    assert world.graph.find(ONE, -int(ONE)) is None
