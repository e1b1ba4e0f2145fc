"""Permissions boundaries of users and roles: set, replaced, taken away."""

from __future__ import annotations

from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.mirror.models import Entity
from tests.iam.changes.operations.stage import Stage
from tests.iam.changes.operations.table import Case

AWS_OWN = "arn:aws:iam::aws:policy/PowerUserAccess"


def make(stage: Stage, kind: str, *, bounded: bool) -> Entity:
    """A user or role, with a boundary or without."""
    former, boundary = stage.policy(), stage.policy()
    params = {"PermissionsBoundary": former.arn} if bounded else {}
    made = stage.user(**params) if kind == "user" else stage.role(**params)
    stage.keep.update(kind=kind, name=made.name, policy=boundary, arn=boundary.arn)
    return made


def putting(kind: str, *, bounded: bool) -> Any:
    """The making of a case that sets one."""

    def made(stage: Stage) -> Operation:
        """Somebody who gets a boundary."""
        return PutBoundary.of(make(stage, kind, bounded=bounded), policy=stage.keep["policy"])

    return made


def deleting(kind: str) -> Any:
    """The making of a case that takes one away."""

    def made(stage: Stage) -> Operation:
        """Somebody who loses their boundary."""
        return DeleteBoundary.of(make(stage, kind, bounded=True))

    return made


def shows(stage: Stage) -> Any:
    """The boundary's ARN."""
    name = stage.keep["name"]
    if stage.keep["kind"] == "user":
        user = stage.iam.get_user(UserName=name)["User"]
    else:
        user = stage.iam.get_role(RoleName=name)["Role"]
    return user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")


def meddle(stage: Stage) -> None:
    """Somebody sets another one."""
    name = stage.keep["name"]
    if stage.keep["kind"] == "user":
        stage.iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=AWS_OWN)
    else:
        stage.iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=AWS_OWN)


def put(stage: Stage, before: Any) -> Any:
    """The new one."""
    return stage.keep["arn"]


def none(stage: Stage, before: Any) -> Any:
    """None at all."""
    return None


CASES = (
    Case("user.put_boundary", putting("user", bounded=False), shows, after=put, meddle=meddle),
    Case(
        "user.put_boundary in place of another",
        putting("user", bounded=True),
        shows,
        after=put,
        meddle=meddle,
    ),
    Case("role.put_boundary", putting("role", bounded=False), shows, after=put, meddle=meddle),
    Case("user.delete_boundary", deleting("user"), shows, after=none, meddle=meddle),
    Case("role.delete_boundary", deleting("role"), shows, after=none, meddle=meddle),
)
