"""Make and delete instance profiles.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from iam.aws.reads.single import EntityNow
from iam.changes.operations.base import Effect, Image, Operation
from iam.changes.operations.lifecycle import Create, Delete, arn_of, state_of
from iam.changes.operations.profile_role import OnProfile, instances_with
from iam.changes.operations.spec import NORMAL, OperationSpec
from iam.changes.operations.subject import ABSENT, SubjectParams, tags_in_mirror
from iam.mirror.models import Account, Entity, Kind


@dataclass(frozen=True, slots=True)
class NewProfileParams(SubjectParams):
    """Where the profile is made, and its tags."""

    path: str
    tags: dict[str, str]


class _Whole:
    """The image of a whole instance profile: all that can be said when it is made."""

    def image_of(self, subject: Entity) -> Image:
        state = state_of(subject)
        return profile_image(path=state.path if state else "/", tags=tags_in_mirror(subject))

    def image_now(self, now: EntityNow) -> Image:
        return profile_image(path=now.path, tags=now.tags)


def profile_image(*, path: str, tags: Mapping[str, str]) -> Image:
    """An instance profile that there is."""
    return {"exists": True, "path": path, "tags": dict(tags)}


class CreateInstanceProfile(_Whole, OnProfile, Create):
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

    params_type = NewProfileParams
    given: NewProfileParams
    quota_name, quota_usual = "InstanceProfilesQuota", 1000

    @classmethod
    def of(
        cls, account: Account, *, name: str, path: str = "/", tags: Mapping[str, str] | None = None
    ) -> Self:
        """The operation in an account."""
        arn = arn_of(account, kind=Kind.INSTANCE_PROFILE.value, name=name, path=path)
        given = NewProfileParams(name=name, subject_arn=arn, subject_id="", path=path, tags=dict(tags or {}))
        return cls(account, given)

    def desired_state(self) -> Image:
        return profile_image(path=self.given.path, tags=self.given.tags)


class DeleteInstanceProfile(_Whole, OnProfile, Delete):
    """Deletes an instance profile that holds no role."""

    spec = OperationSpec(
        slug="instance_profile.delete",
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

    def effect(self) -> Effect:
        return Effect(notes=instances_with(self.subject(), "lose it. AWS doesn’t detach it automatically"))

    def inverse(self, before: Image) -> Operation | None:
        """A profile of the same name, path and tags; its unique id is another."""
        if before == ABSENT:
            return None
        return CreateInstanceProfile.of(
            self.account, name=self.given.name, path=str(before["path"]), tags=before["tags"]
        )
