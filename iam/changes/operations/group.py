"""Make, rename and delete IAM groups."""

from __future__ import annotations

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


class NewGroupParams(SubjectParams):
    path: str


class CreateGroup(Create):
    spec = creation(
        Kind.GROUP,
        state={"path": "path"},
        parameters={"GroupName": "name", "Path": "path"},
        sentence="Creates group {name} without members",
        quota=account_quota("groups", name="GroupsQuota", usual=300),
    )

    inputs: NewGroupParams

    def simulate(self, world: ChangeWorld) -> None:
        world.put_group(GroupRow(world.make(self.inputs.subject_arn), self.inputs.name))


class UpdateGroup(Rename):
    spec = renaming(Kind.GROUP)

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
    spec = removal(CreateGroup.spec, undo_caveat="It is recreated, with a new unique ID.")
