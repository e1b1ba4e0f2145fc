"""Make, rename and delete IAM groups.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from iam.changes.operations.base import AccessEffect
from iam.changes.operations.lifecycle import Create, Delete, Rename, Whole, arn_of
from iam.changes.operations.spec import NORMAL, OperationSpec
from iam.changes.operations.subject import SubjectParams
from iam.changes.world import ChangeWorld
from iam.directory.models import RuleKind, TeamRule
from iam.mirror.models import Account, Kind
from iam.policy.index.rows import GroupRow


@dataclass(frozen=True, slots=True)
class NewGroupParams(SubjectParams):
    """Where the group is made."""

    path: str


class CreateGroup(Whole, Create):
    """Makes a group, with nobody in it."""

    spec = OperationSpec(
        slug="group.create",
        inverse="group.delete",
        family="group",
        subject_kind=Kind.GROUP.value,
        title="Create group {name}",
        no_op="The group {name} already exists with these settings.",
        counted=("Create", "group"),
        call="CreateGroup",
        parameters={"GroupName": "name", "Path": "path"},
        sentence="Creates group {name} without members",
    )

    image_fields = ("path",)
    params_type = NewGroupParams
    inputs: NewGroupParams
    quota_name, quota_usual = "GroupsQuota", 300

    @classmethod
    def of(cls, account: Account, *, name: str, path: str = "/") -> Self:
        """The operation in an account."""
        arn = arn_of(account, kind=Kind.GROUP.value, name=name, path=path)
        return cls(account, NewGroupParams(name=name, subject_arn=arn, subject_id="", path=path))

    def simulate(self, world: ChangeWorld) -> None:
        world.put_group(GroupRow(world.make(self.inputs.subject_arn), self.inputs.name))


class UpdateGroup(Rename):
    """Gives a group another name or path."""

    spec = OperationSpec(
        slug="group.update",
        family="group",
        subject_kind=Kind.GROUP.value,
        no_op="The group {new_name} already has this name and path.",
        counted=("Rename", "group"),
        call="UpdateGroup",
        parameters={"GroupName": "name", "NewGroupName": "other_name?", "NewPath": "new_path"},
        sentence="{name} becomes {new_path}{new_name}",
    )

    def effect(self) -> AccessEffect:
        """What finds its people by the name of the group."""
        rules = TeamRule.objects.filter(kind=RuleKind.GROUP, value=self.inputs.name)
        rules = rules.filter(account_id__in=["", self.account.account_id])
        names = sorted(set(rules.values_list("team__name", flat=True)))
        is_renamed = bool(names) and self.inputs.new_name != self.inputs.name
        note = f"{', '.join(names)} use this name in their team rules. Add the new name to those rules."
        return AccessEffect(notes=(note,)) if is_renamed else AccessEffect()


class DeleteGroup(Whole, Delete):
    """Deletes a group."""

    spec = OperationSpec(
        slug="group.delete",
        inverse="group.create",
        family="group",
        subject_kind=Kind.GROUP.value,
        title="Delete group {name}",
        no_op="The group {name} is already deleted.",
        counted=("Delete", "group"),
        call="DeleteGroup",
        parameters={"GroupName": "name"},
        sentence="Deletes group {name}",
        weight=NORMAL,
        undo_caveat="It is recreated, with a new unique ID.",
    )
    image_fields = ("path",)
