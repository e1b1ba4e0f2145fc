"""Random small organisations in which much leads somewhere, for properties of escalation."""

from __future__ import annotations

import random
from typing import Any

from tests.iam.policy.escalation.builders import ONE, TWO, World, allow, deny

ACTIONS = (
    "sts:AssumeRole",
    "iam:PassRole",
    "iam:CreateAccessKey",
    "iam:PutUserPolicy",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:AddUserToGroup",
    "iam:CreatePolicyVersion",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutGroupPolicy",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
    "iam:RemoveUserFromGroup",
    "iam:TagUser",
    "iam:TagRole",
    "lambda:CreateFunction",
    "lambda:InvokeFunction",
    "ec2:RunInstances",
    "ssm:SendCommand",
)
WHOLE = ("lambda:*", "iam:*", "*")
RESOURCES = (
    "*",
    "*",
    "arn:aws:iam::*:user/${aws:username}",
    "arn:aws:iam::*:role/a*",
    "arn:aws:iam::*:user/*",
    f"arn:aws:iam::{ONE}:*",
    "arn:aws:iam::*:group/*",
)
TRUSTS: tuple[Any, ...] = (
    {"AWS": ONE},
    {"AWS": TWO},
    {"AWS": f"arn:aws:iam::{ONE}:user/u1"},
    {"Service": "lambda.amazonaws.com"},
    {"Service": "ec2.amazonaws.com"},
    {"AWS": [ONE, TWO], "Service": "lambda.amazonaws.com"},
)
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
CONDITIONS: tuple[dict[str, Any], ...] = (
    MFA,
    MFA,
    MFA,
    {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    {"StringEquals": {"iam:ResourceTag/team": "red"}},
    {"StringEquals": {"aws:PrincipalTag/team": "red"}},
    {"StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{ONE}:policy/boundary"}},
)


def statement(dice: random.Random) -> dict[str, Any]:
    """A statement, mostly an Allow."""
    actions = dice.sample(ACTIONS, dice.randint(1, 4))
    resource = dice.choice(RESOURCES)
    conditions = dice.choice(CONDITIONS) if dice.random() < 0.6 else {}
    if dice.random() < 0.12:
        return deny(dice.choice(actions), resource, **conditions)
    return allow(dice.choice(WHOLE) if dice.random() < 0.04 else actions, resource, **conditions)


def world(dice: random.Random) -> World:
    """Two accounts with an administrator role, users, roles, a group, a shared policy and a boundary."""
    world = World()
    for account, names in ((ONE, "u"), (TWO, "v")):
        shared = world.policy("shared", statement(dice), account=account)
        boundary = world.policy(
            "boundary",
            allow("*"),
            deny([*dice.sample(ACTIONS, dice.randint(0, 2)), "iam:CreateUser"]),
            account=account,
        )
        group = world.group("team", statement(dice), attached=(shared,), account=account)
        world.role(f"admin{names}", allow("*"), trusts=dice.choice(TRUSTS), account=account)
        for place in range(dice.randint(1, 3)):
            world.user(
                f"{names}{place}",
                *(statement(dice) for _ in range(dice.randint(0, 2))),
                account=account,
                groups=(group,) if dice.random() < 0.3 else (),
                boundary=boundary if dice.random() < 0.3 else None,
                attached=(shared,) if dice.random() < 0.2 else (),
                tags=dice.choice(({}, {"team": "red"}, {"team": "blue"})),
            )
        for place in range(dice.randint(0, 2)):
            world.role(
                f"a{names}{place}",
                *(statement(dice) for _ in range(dice.randint(0, 2))),
                account=account,
                trusts=dice.choice(TRUSTS),
                tags=dice.choice(({}, {"team": "red"})),
            )
        if dice.random() < 0.3:
            world.stand(deny(dice.choice(ACTIONS)), account=account)
    return world
