"""Make and delete instance profiles."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.lifecycle import Create, Delete, account_quota, creation, removal
from iam.changes.operations.profile_role import OnProfile, instances_with
from iam.changes.operations.subject import SubjectParams
from iam.mirror.models import Kind

STATE: Final = {"path": "path", "tags": "tags"}


class NewProfileParams(SubjectParams):
    """Where the profile is made, and its tags."""

    path: str
    tags: dict[str, str]


class CreateInstanceProfile(OnProfile, Create):
    """Makes an instance profile without a role."""

    spec = creation(
        Kind.INSTANCE_PROFILE,
        state=STATE,
        call="CreateInstanceProfile",
        parameters={"InstanceProfileName": "name", "Path": "path", "Tags": "tag_list?"},
        sentence="Creates instance profile {name} without a role",
        quota=account_quota("instance profiles", name="InstanceProfilesQuota", usual=1000),
    )

    inputs: NewProfileParams


class DeleteInstanceProfile(OnProfile, Delete):
    """Deletes an instance profile that holds no role."""

    spec = removal(
        Kind.INSTANCE_PROFILE,
        inverse="instance_profile.create",
        state=STATE,
        call="DeleteInstanceProfile",
        parameters={"InstanceProfileName": "name"},
        undo_caveat="It is recreated, with a new unique ID.",
    )

    def notes(self) -> tuple[str, ...]:
        return instances_with(self.subject(), "lose it. AWS doesn’t detach it automatically")
