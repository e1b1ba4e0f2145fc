"""Users: made, renamed, moved, deleted."""

from __future__ import annotations

from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.principals import CreateUser, DeleteUser, UpdateUser
from iam.mirror.models import Kind
from tests.iam.changes.operations.stage import Stage, shown_or_none
from tests.iam.changes.operations.table import Case, nothing


def make_new(stage: Stage) -> Operation:
    """A user with all that one may be made with."""
    boundary = stage.policy()
    stage.keep.update(name=stage.name("new"), boundary=boundary.arn)
    return CreateUser.of(
        stage.account, name=stage.keep["name"], path="/eng/", boundary=boundary.arn, tags={"team": "web"}
    )


def make_doomed(stage: Stage) -> Operation:
    """A user with all that one may have and be deleted."""
    boundary = stage.policy()
    user = stage.user(Path="/eng/", PermissionsBoundary=boundary.arn, Tags=[{"Key": "team", "Value": "web"}])
    stage.keep.update(name=user.name, boundary=boundary.arn)
    return DeleteUser.of(user)


def make_renamed(stage: Stage) -> Operation:
    """A user who gets another name and another path, and keeps what they have."""
    group, user = stage.group(), stage.user(Path="/eng/")
    stage.iam.add_user_to_group(GroupName=group.name, UserName=user.name)
    stage.read(Kind.USER, user.name)
    stage.keep.update(name=user.name, new=stage.name("renamed"))
    return UpdateUser.of(user, new_name=stage.keep["new"], new_path="/ops/")


def shows(stage: Stage) -> Any:
    """The user under either name, with groups."""
    for name in (stage.keep["name"], stage.keep.get("new", "")):
        user_shown = shown_or_none(stage.iam.get_user, UserName=name) if name else None
        if user_shown:
            user = user_shown["User"]
            groups = stage.iam.list_groups_for_user(UserName=name)["Groups"]
            return {
                "name": user["UserName"],
                "path": user["Path"],
                "tags": user.get("Tags", []),
                "boundary": user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
                "groups": [group["GroupName"] for group in groups],
            }
    return None


def retag(stage: Stage) -> None:
    """Somebody tags the user."""
    stage.iam.tag_user(UserName=stage.keep["name"], Tags=[{"Key": "by", "Value": "hand"}])


def make_by_hand(stage: Stage) -> None:
    """Somebody makes a user of the name, elsewhere."""
    stage.iam.create_user(UserName=stage.keep["name"], Path="/other/")


def move_by_hand(stage: Stage) -> None:
    """Somebody moves the user elsewhere."""
    stage.iam.update_user(UserName=stage.keep["name"], NewPath="/other/")


def created(stage: Stage, before: Any) -> Any:
    """What was asked for."""
    tags = [{"Key": "team", "Value": "web"}]
    boundary = stage.keep["boundary"]
    return {"name": stage.keep["name"], "path": "/eng/", "tags": tags, "boundary": boundary, "groups": []}


def renamed(stage: Stage, before: Any) -> Any:
    """The same user elsewhere."""
    return {**before, "name": stage.keep["new"], "path": "/ops/"}


CASES = (
    Case("user.create", make_new, shows, after=created, meddle=make_by_hand),
    Case("user.update", make_renamed, shows, after=renamed, meddle=move_by_hand),
    Case("user.delete", make_doomed, shows, after=nothing, meddle=retag),
)
