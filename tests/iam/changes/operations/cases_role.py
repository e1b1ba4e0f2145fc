"""Roles: made, set, trusted by others, deleted."""

from __future__ import annotations

import json
from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.facts import state_of
from iam.changes.operations.principals import (
    CreateRole,
    DeleteRole,
    ReplaceTrustPolicy,
    RoleSettings,
    UpdateRole,
)
from iam.changes.operations.sign_in_session import LimitRoleSignIn
from tests.iam.changes.operations.stage import TRUST_EC2, Stage, shown_or_none
from tests.iam.changes.operations.table import Case, nothing

TAGS = [{"Key": "team", "Value": "web"}]


def trusting(principal: Any) -> str:
    """A trust policy, laid out as people write it."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


LAMBDA = trusting({"Service": "lambda.amazonaws.com"})


def make_new(stage: Stage) -> Operation:
    """A role with all that one may be made with."""
    boundary = stage.policy()
    stage.keep.update(name=stage.name("new"), boundary=boundary.arn)
    return CreateRole.of(
        stage.account,
        name=stage.keep["name"],
        trust=LAMBDA,
        path="/app/",
        settings=RoleSettings("Runs the shop", 7200),
        boundary=boundary.arn,
        tags={"team": "web"},
    )


def make_doomed(stage: Stage) -> Operation:
    """A role with all that one may have and be deleted."""
    boundary = stage.policy()
    role = stage.role(
        Path="/app/",
        AssumeRolePolicyDocument=LAMBDA,
        Description="Runs the shop",
        MaxSessionDuration=7200,
        PermissionsBoundary=boundary.arn,
        Tags=TAGS,
    )
    stage.keep.update(name=role.name, boundary=boundary.arn)
    return DeleteRole.of(role)


def make_plain(stage: Stage) -> Any:
    """A role of EC2."""
    role = stage.role(Description="Runs the shop", MaxSessionDuration=7200)
    stage.keep["name"] = role.name
    return role


def make_set(stage: Stage) -> Operation:
    """A role that gets other settings."""
    return UpdateRole.of(make_plain(stage), **RoleSettings("", 43_200).params)


def make_limited(stage: Stage) -> Operation:
    """A role whose sign-in sessions get a limit, where none is set."""
    role = make_plain(stage)
    return LimitRoleSignIn.on(role, state_of(role), seconds=28_800)


def make_unlimited(stage: Stage) -> Operation:
    """A role whose sign-in sessions may last 90 days, and then have no limit of their own."""
    role = stage.role(
        Description="Runs the shop", MaxSessionDuration=7200, MaxSigninSessionDuration=7_776_000
    )
    stage.keep["name"] = role.name
    return LimitRoleSignIn.on(role, state_of(role), seconds=None)


def make_trusting(stage: Stage) -> Operation:
    """A role that another service is to assume."""
    return ReplaceTrustPolicy.of(make_plain(stage), document=LAMBDA)


def shows(stage: Stage) -> Any:
    """The role."""
    answer = shown_or_none(stage.iam.get_role, RoleName=stage.keep["name"])
    if answer is None:
        return None
    role = answer["Role"]
    return {
        "path": role["Path"],
        "trust": json.loads(role["AssumeRolePolicyDocument"]),
        "description": role.get("Description", ""),
        "longest": role["MaxSessionDuration"],
        "sign_in": role.get("MaxSigninSessionDuration"),
        "boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "tags": role.get("Tags", []),
    }


def created(stage: Stage, before: Any) -> Any:
    """What was asked for."""
    return {
        "path": "/app/",
        "trust": json.loads(LAMBDA),
        "description": "Runs the shop",
        "longest": 7200,
        "sign_in": None,
        "boundary": stage.keep["boundary"],
        "tags": TAGS,
    }


def make_by_hand(stage: Stage) -> None:
    """Somebody makes a role of the name for somebody else."""
    stage.iam.create_role(RoleName=stage.keep["name"], AssumeRolePolicyDocument=TRUST_EC2)


def describe_by_hand(stage: Stage) -> None:
    """Somebody gives the role another description."""
    stage.iam.update_role(RoleName=stage.keep["name"], Description="Mine now", MaxSessionDuration=7200)


def limit_by_hand(stage: Stage) -> None:
    """Somebody gives the sign-in sessions of the role another limit."""
    stage.iam.update_role(RoleName=stage.keep["name"], MaxSigninSessionDuration=86_400)


def trust_by_hand(stage: Stage) -> None:
    """Somebody lets somebody else in."""
    text = trusting({"AWS": stage.account.account_id})
    stage.iam.update_assume_role_policy(RoleName=stage.keep["name"], PolicyDocument=text)


CASES = (
    Case("role.create", make_new, shows, after=created, meddle=make_by_hand),
    Case(
        "role.update",
        make_set,
        shows,
        after=lambda _, was: {**was, "description": "", "longest": 43_200},
        meddle=describe_by_hand,
    ),
    Case(
        "role.limit_sign_in",
        make_limited,
        shows,
        after=lambda _, was: {**was, "sign_in": 28_800},
        meddle=describe_by_hand,
    ),
    Case(
        "role.limit_sign_in to none",
        make_unlimited,
        shows,
        after=lambda _, was: {**was, "sign_in": None},
        meddle=limit_by_hand,
    ),
    Case("role.delete", make_doomed, shows, after=nothing, meddle=trust_by_hand),
    Case(
        "trust_policy.replace",
        make_trusting,
        shows,
        after=lambda _, was: {**was, "trust": json.loads(LAMBDA)},
        meddle=trust_by_hand,
    ),
)
