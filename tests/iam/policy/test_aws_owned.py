"""What AWS owns is changed by nobody in the account, and the engine says why."""

from __future__ import annotations

import pytest

from iam.policy.aws_owned import owner_reason
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.question import OWNED_BY_AWS, AccessQuestion
from tests.iam.policy.escalation.builders import EVERYTHING, NONE, ONE, World, allow

OWNED = (
    ("iam:CreatePolicyVersion", "arn:aws:iam::aws:policy/AdministratorAccess", "AWS owns this policy"),
    ("iam:DeletePolicy", "arn:aws:iam::aws:policy/job-function/Billing", "AWS owns this policy"),
    ("iam:SetDefaultPolicyVersion", "arn:aws-cn:iam::aws:policy/ReadOnlyAccess", "AWS owns this policy"),
    (
        "iam:PutRolePolicy",
        f"arn:aws:iam::{ONE}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_a",
        "AWS owns this role",
    ),
    (
        "iam:AttachRolePolicy",
        f"arn:aws:iam::{ONE}:role/aws-service-role/ec2.amazonaws.com/r",
        "An AWS service owns this role",
    ),
    (
        "iam:UpdateAssumeRolePolicy",
        f"arn:aws:iam::{ONE}:role/aws-service-role/x/r",
        "An AWS service owns this role",
    ),
    ("kms:DeleteAlias", f"arn:aws:kms:eu-west-1:{ONE}:alias/aws/s3", "AWS owns this alias"),
)
FREE = (
    ("iam:CreatePolicyVersion", f"arn:aws:iam::{ONE}:policy/Team"),
    ("iam:GetPolicyVersion", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ("iam:AttachRolePolicy", f"arn:aws:iam::{ONE}:role/app"),
    ("iam:UpdateRoleDescription", f"arn:aws:iam::{ONE}:role/aws-service-role/x/r"),
    ("iam:DeleteServiceLinkedRole", f"arn:aws:iam::{ONE}:role/aws-service-role/x/r"),
    ("iam:GetRole", f"arn:aws:iam::{ONE}:role/aws-reserved/r"),
    ("kms:DeleteAlias", f"arn:aws:kms:eu-west-1:{ONE}:alias/awsome"),
)


def world() -> World:
    world = World()
    world.user("boss", EVERYTHING)
    return world


@pytest.mark.parametrize(("action", "resource", "reason"), OWNED)
def test_nobody_changes_what_aws_owns_and_it_is_said_why(action: str, resource: str, reason: str) -> None:
    scene = world()
    question = AccessQuestion(action, resource)
    answer = scene.index.who_can(question)
    assert list(answer.members()) == []
    (limitation,) = answer.limitations
    assert limitation.kind == OWNED_BY_AWS
    assert limitation.text.startswith(reason)
    boss = scene.index.member(*scene.arns["boss"])
    assert boss is not None
    explanation = scene.index.explain(boss, question)
    assert explanation.decision is EvaluationDecision.IMPLICITLY_DENIED
    assert explanation.reasons[0].text == limitation.text


@pytest.mark.parametrize(("action", "resource"), FREE)
def test_other_actions_and_resources_are_decided_by_policies(action: str, resource: str) -> None:
    assert owner_reason(action.lower(), resource) == ""
    if not action.startswith("kms:"):
        names = world().index.who_can(AccessQuestion(action, resource)).names(EvaluationDecision.ALLOWED)
        assert f"arn:aws:iam::{ONE}:user/boss" in names


def test_no_path_leads_through_what_aws_owns() -> None:
    world = World()
    world.role("aws-reserved/sso.amazonaws.com/AWSReservedSSO_admin", EVERYTHING, trusts={"AWS": ONE})
    managed = world.policy("PowerUserAccess", allow("s3:*"), owner="aws")
    world.user(
        "dev",
        allow(["iam:PutRolePolicy", "iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy"]),
        attached=(managed,),
    )
    assert world.becomes_administrator("dev") == NONE
