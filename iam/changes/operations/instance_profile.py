"""Make and delete instance profiles.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from iam.changes.operations.base import AccessEffect
from iam.changes.operations.lifecycle import Create, Delete, Whole, arn_of
from iam.changes.operations.profile_role import OnProfile, instances_with
from iam.changes.operations.spec import NORMAL, OperationSpec
from iam.changes.operations.subject import SubjectParams
from iam.mirror.models import Account, Kind


@dataclass(frozen=True, slots=True)
class NewProfileParams(SubjectParams):
    """Where the profile is made, and its tags."""

    path: str
    tags: dict[str, str]


class CreateInstanceProfile(Whole, OnProfile, Create):
    """Makes an instance profile without a role."""

    spec = OperationSpec(
        slug="instance_profile.create",
        inverse="instance_profile.delete",
        family="instance-profile",
        subject_kind=Kind.INSTANCE_PROFILE.value,
        title="Create instance profile {name}",
        no_op="The instance profile {name} already exists with these settings.",
        counted=("Create", "instance profile"),
        call="CreateInstanceProfile",
        parameters={"InstanceProfileName": "name", "Path": "path", "Tags": "tag_list?"},
        sentence="Creates instance profile {name} without a role",
    )

    image_fields = ("path", "tags")
    params_type = NewProfileParams
    inputs: NewProfileParams
    quota_name, quota_usual = "InstanceProfilesQuota", 1000

    @classmethod
    def of(
        cls, account: Account, *, name: str, path: str = "/", tags: Mapping[str, str] | None = None
    ) -> Self:
        """The operation in an account."""
        arn = arn_of(account, kind=Kind.INSTANCE_PROFILE.value, name=name, path=path)
        params = NewProfileParams(name=name, subject_arn=arn, subject_id="", path=path, tags=dict(tags or {}))
        return cls(account, params)


class DeleteInstanceProfile(Whole, OnProfile, Delete):
    """Deletes an instance profile that holds no role."""

    spec = OperationSpec(
        slug="instance_profile.delete",
        inverse="instance_profile.create",
        family="instance-profile",
        subject_kind=Kind.INSTANCE_PROFILE.value,
        title="Delete instance profile {name}",
        no_op="The instance profile {name} is already deleted.",
        counted=("Delete", "instance profile"),
        call="DeleteInstanceProfile",
        parameters={"InstanceProfileName": "name"},
        sentence="Deletes instance profile {name}",
        weight=NORMAL,
        undo_caveat="It is recreated, with a new unique ID.",
    )
    image_fields = ("path", "tags")

    def effect(self) -> AccessEffect:
        return AccessEffect(
            notes=instances_with(self.subject(), "lose it. AWS doesn’t detach it automatically")
        )
