"""Make, rename and delete IAM groups."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.lifecycle import (
    Create,
    Delete,
    Rename,
    account_quota,
    creation,
    removal,
    renaming,
)
from iam.changes.operations.subject import SubjectParams
from iam.changes.world import ChangeWorld
from iam.directory.models import RuleKind, TeamRule
from iam.mirror.models import Kind
from iam.policy.index.rows import GroupRow

STATE: Final = {"path": "path"}


class NewGroupParams(SubjectParams):
    """Where the group is made."""

    path: str


class CreateGroup(Create):
    """Makes a group, with nobody in it."""

    spec = creation(
        Kind.GROUP,
        state=STATE,
        call="CreateGroup",
        parameters={"GroupName": "name", "Path": "path"},
        sentence="Creates group {name} without members",
        quota=account_quota("groups", name="GroupsQuota", usual=300),
    )

    inputs: NewGroupParams

    def simulate(self, world: ChangeWorld) -> None:
        world.put_group(GroupRow(world.make(self.inputs.subject_arn), self.inputs.name))


class UpdateGroup(Rename):
    """Gives a group another name or path."""

    spec = renaming(
        Kind.GROUP,
        call="UpdateGroup",
        parameters={"GroupName": "name", "NewGroupName": "other_name?", "NewPath": "new_path"},
    )

    def notes(self) -> tuple[str, ...]:
        """The teams that find their people by the name of the group."""
        if self.inputs.new_name == self.inputs.name:
            return ()
        rules = TeamRule.objects.filter(kind=RuleKind.GROUP, value=self.inputs.name)
        rules = rules.filter(account_id__in=["", self.account.account_id])
        names = sorted(set(rules.values_list("team__name", flat=True)))
        if not names:
            return ()
        return (f"{', '.join(names)} use this name in their team rules. Add the new name to those rules.",)


class DeleteGroup(Delete):
    """Deletes a group."""

    spec = removal(
        Kind.GROUP,
        inverse="group.create",
        state=STATE,
        call="DeleteGroup",
        parameters={"GroupName": "name"},
        undo_caveat="It is recreated, with a new unique ID.",
    )
