"""Make and delete instance profiles."""

from __future__ import annotations

from iam.changes.operations.lifecycle import Create, Delete, account_quota, creation, removal
from iam.changes.operations.profile_role import OnProfile, instances_with
from iam.changes.operations.subject import SubjectParams
from iam.mirror.models import Kind


class NewProfileParams(SubjectParams):
    path: str
    tags: dict[str, str]


class CreateInstanceProfile(OnProfile, Create):
    spec = creation(
        Kind.INSTANCE_PROFILE,
        state={"path": "path", "tags": "tags"},
        parameters={"InstanceProfileName": "name", "Path": "path", "Tags": "tag_list?"},
        sentence="Creates instance profile {name} without a role",
        quota=account_quota("instance profiles", name="InstanceProfilesQuota", usual=1000),
    )

    inputs: NewProfileParams


class DeleteInstanceProfile(OnProfile, Delete):
    spec = removal(CreateInstanceProfile.spec, undo_caveat="It is recreated, with a new unique ID.")

    def notes(self) -> tuple[str, ...]:
        return instances_with(self.subject(), "lose it. AWS doesn’t detach it automatically")
