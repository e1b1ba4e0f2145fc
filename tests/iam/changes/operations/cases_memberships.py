"""Memberships of IAM groups: somebody joins, somebody leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from iam.changes.operations import ADD_TO_GROUP, REMOVE_FROM_GROUP, Membership, Operation
from iam.changes.operations.spec import OperationSpec
from iam.mirror.models import Kind
from tests.iam.changes.operations.stage import Stage
from tests.iam.changes.operations.table import Case


def membership(spec: OperationSpec, *, is_member: bool) -> Callable[[Stage], Operation]:
    """A user of another group, who is in this one or not."""

    def make(stage: Stage) -> Operation:
        user, group, other = stage.user(), stage.group(), stage.group()
        for entity in (other, group) if is_member else (other,):
            stage.iam.add_user_to_group(UserName=user.name, GroupName=entity.name)
        stage.keep.update(user=user.name, group=group.name, member=is_member)
        return Membership.of(spec, stage.read(Kind.USER, user.name), group=group)

    return make


def shows(stage: Stage) -> Any:
    """The groups of the user."""
    groups = stage.iam.list_groups_for_user(UserName=stage.keep["user"])["Groups"]
    return sorted(policy["GroupName"] for policy in groups)


def and_it(stage: Stage, before: Any) -> Any:
    """The group as well."""
    return sorted([*before, stage.keep["group"]])


def without_it(stage: Stage, before: Any) -> Any:
    """The other one."""
    return [name for name in before if name != stage.keep["group"]]


def make_the_group_again(stage: Stage) -> None:
    """Somebody deletes the group and makes another of the name, with the same people."""
    user, group = {"UserName": stage.keep["user"]}, {"GroupName": stage.keep["group"]}
    if stage.keep["member"]:
        stage.iam.remove_user_from_group(**user, **group)
    stage.iam.delete_group(**group)
    stage.iam.create_group(**group)
    if stage.keep["member"]:
        stage.iam.add_user_to_group(**user, **group)


CASES = (
    Case(
        "group_membership.add",
        membership(ADD_TO_GROUP, is_member=False),
        shows,
        after=and_it,
        meddle=make_the_group_again,
    ),
    Case(
        "group_membership.remove",
        membership(REMOVE_FROM_GROUP, is_member=True),
        shows,
        after=without_it,
        meddle=make_the_group_again,
    ),
)
