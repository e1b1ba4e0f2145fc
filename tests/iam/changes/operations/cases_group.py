"""Groups: made, renamed, moved, deleted."""

from __future__ import annotations

from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.principals import CreateGroup, DeleteGroup, UpdateGroup
from iam.mirror.models import Kind
from tests.iam.changes.operations.stage import Stage, shown_or_none
from tests.iam.changes.operations.table import Case, nothing


def make_new(stage: Stage) -> Operation:
    """A group on a path."""
    stage.keep["name"] = stage.name("new")
    return CreateGroup.of(stage.account, name=stage.keep["name"], path="/eng/")


def make_doomed(stage: Stage) -> Operation:
    """An empty group on a path."""
    group = stage.group(Path="/eng/")
    stage.keep["name"] = group.name
    return DeleteGroup.of(group)


def make_renamed(stage: Stage) -> Operation:
    """A group with somebody in it, which gets another name and path."""
    group, user = stage.group(Path="/eng/"), stage.user()
    stage.iam.add_user_to_group(GroupName=group.name, UserName=user.name)
    stage.read(Kind.USER, user.name)
    stage.keep.update(name=group.name, new=stage.name("renamed"))
    return UpdateGroup.of(group, new_name=stage.keep["new"], new_path="/ops/")


def shows(stage: Stage) -> Any:
    """The group under either name, with its members."""
    for name in (stage.keep["name"], stage.keep.get("new", "")):
        group = shown_or_none(stage.iam.get_group, GroupName=name) if name else None
        if group:
            users = [user["UserName"] for user in group["Users"]]
            return {"name": group["Group"]["GroupName"], "path": group["Group"]["Path"], "users": users}
    return None


def make_by_hand(stage: Stage) -> None:
    """Somebody makes a group of the name, elsewhere."""
    stage.iam.create_group(GroupName=stage.keep["name"], Path="/other/")


def move_by_hand(stage: Stage) -> None:
    """Somebody moves the group elsewhere."""
    stage.iam.update_group(GroupName=stage.keep["name"], NewPath="/other/")


def created(stage: Stage, before: Any) -> Any:
    """What was asked for."""
    return {"name": stage.keep["name"], "path": "/eng/", "users": []}


def renamed(stage: Stage, before: Any) -> Any:
    """The same group elsewhere."""
    return {**before, "name": stage.keep["new"], "path": "/ops/"}


CASES = (
    Case("group.create", make_new, shows, after=created, meddle=make_by_hand),
    Case("group.update", make_renamed, shows, after=renamed, meddle=move_by_hand),
    Case("group.delete", make_doomed, shows, after=nothing, meddle=move_by_hand),
)
