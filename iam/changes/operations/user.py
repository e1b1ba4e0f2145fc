"""Make, rename and delete IAM users.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import AccessEffect
from iam.changes.operations.lifecycle import Create, Delete, Rename, Whole, arn_of
from iam.changes.operations.principal_mentions import named_by
from iam.changes.operations.spec import NORMAL, OperationSpec
from iam.changes.operations.subject import (
    SubjectParams,
)
from iam.changes.world import ChangeWorld
from iam.directory.services import follow_rename
from iam.mirror.models import Account, Kind
from iam.policy.index.rows import Grants, PrincipalRow

NOT_READ: Final = (
    "Keys and certificates of {name} aren’t fully synced yet. If AWS has some that aren’t "
    "listed here, the last step fails "
    "with an error."
)
OTHER_ID: Final = (
    "A user recreated under this name has a new unique ID: "
    "trust policies that name this user don’t apply to it."
)


@dataclass(frozen=True, slots=True)
class NewUserParams(SubjectParams):
    """Where the user is made, the ARN of its permissions boundary (empty: none), and its tags."""

    BLANK: ClassVar[frozenset[str]] = frozenset({"subject_id", "boundary"})

    path: str
    boundary: str
    tags: dict[str, str]


class CreateUser(Whole, Create):
    """Makes a user, with boundary and tags from the first moment."""

    spec = OperationSpec(
        slug="user.create",
        inverse="user.delete",
        family="user",
        subject_kind=Kind.USER.value,
        title="Create user {name}",
        no_op="The user {name} already exists with these settings.",
        counted=("Create", "IAM user"),
        call="CreateUser",
        parameters={
            "UserName": "name",
            "Path": "path",
            "PermissionsBoundary": "boundary?",
            "Tags": "tag_list?",
        },
        sentence="Creates user {name}",
    )

    image_fields = ("path", "boundary", "tags")
    params_type = NewUserParams
    inputs: NewUserParams
    quota_name, quota_usual = "UsersQuota", 5000

    @classmethod
    def of(
        cls,
        account: Account,
        *,
        name: str,
        path: str = "/",
        boundary: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Self:
        """The operation in an account; `boundary` is the ARN of a managed policy."""
        arn = arn_of(account, kind=Kind.USER.value, name=name, path=path)
        params = NewUserParams(
            name=name, subject_arn=arn, subject_id="", path=path, boundary=boundary, tags=dict(tags or {})
        )
        return cls(account, params)

    def referenced_arns(self) -> tuple[str, ...]:
        return (self.inputs.boundary,) if self.inputs.boundary else ()

    def simulate(self, world: ChangeWorld) -> None:
        params = self.inputs
        boundary = world.number(params.boundary) if params.boundary else None
        grants = Grants(boundary=boundary)
        number = world.make(params.subject_arn)
        world.put_principal(PrincipalRow(number, params.subject_arn, grants=grants, tags=params.tags))


class UpdateUser(Rename):
    """Gives a user another name or path."""

    spec = OperationSpec(
        slug="user.update",
        family="user",
        subject_kind=Kind.USER.value,
        no_op="The user {new_name} already has this name and path.",
        counted=("Rename", "IAM user"),
        call="UpdateUser",
        parameters={"UserName": "name", "NewUserName": "other_name?", "NewPath": "new_path"},
        sentence="{name} becomes {new_path}{new_name}",
    )

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Anyone who the user belongs to keeps it under the new ARN."""
        super().read_back(aws, cause_id=cause_id)
        subject = self.subject()
        if subject is not None and subject.arn != self.inputs.subject_arn:
            follow_rename(self.inputs.subject_arn, new_arn=subject.arn)

    def effect(self) -> AccessEffect:
        """Policies go by the ARN, and it is another one then."""
        user = self.subject()
        named = named_by(user) if user else ()
        return AccessEffect(notes=named, confidential=named)


class DeleteUser(Whole, Delete):
    """Deletes a user."""

    spec = OperationSpec(
        slug="user.delete",
        inverse="user.create",
        family="user",
        subject_kind=Kind.USER.value,
        title="Delete user {name}",
        no_op="The user {name} is already deleted.",
        counted=("Delete", "IAM user"),
        call="DeleteUser",
        parameters={"UserName": "name"},
        sentence="Deletes user {name}",
        weight=NORMAL,
        undo_caveat=(
            "It is recreated with a new unique ID: trust policies and resource-based policies that "
            "name it don’t apply to the new one."
        ),
    )
    image_fields = ("path", "boundary", "tags")

    def effect(self) -> AccessEffect:
        user = self.subject()
        if user is None:
            return AccessEffect()
        unread = () if user.detail_at else (NOT_READ.format(name=user.name),)
        named = named_by(user)
        return AccessEffect(notes=(*unread, *named, OTHER_ID), confidential=named)
