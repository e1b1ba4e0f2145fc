"""Make, rename and delete IAM users."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import AccessEffect
from iam.changes.operations.lifecycle import (
    CreatePrincipal,
    Delete,
    Rename,
    account_quota,
    creation,
    removal,
    renaming,
)
from iam.changes.operations.principal_mentions import named_by
from iam.directory.services import follow_rename
from iam.mirror.models import Kind

NOT_READ: Final = (
    "Keys and certificates of {name} aren’t fully synced yet. If AWS has some that aren’t "
    "listed here, the last step fails "
    "with an error."
)
OTHER_ID: Final = (
    "A user recreated under this name has a new unique ID: "
    "trust policies that name this user don’t apply to it."
)


class CreateUser(CreatePrincipal):
    spec = creation(
        Kind.USER,
        state={"path": "path", "boundary": "boundary", "tags": "tags"},
        parameters={
            "UserName": "name",
            "Path": "path",
            "PermissionsBoundary": "boundary?",
            "Tags": "tag_list?",
        },
        quota=account_quota("users", name="UsersQuota", usual=5000),
    )


class UpdateUser(Rename):
    spec = renaming(Kind.USER)

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


class DeleteUser(Delete):
    spec = removal(
        CreateUser.spec,
        undo_caveat=(
            "It is recreated with a new unique ID: trust policies and resource-based policies that "
            "name it don’t apply to the new one."
        ),
    )

    def effect(self) -> AccessEffect:
        user = self.subject()
        if user is None:
            return AccessEffect()
        unread = () if user.detail_at else (NOT_READ.format(name=user.name),)
        named = named_by(user)
        return AccessEffect(notes=(*unread, *named, OTHER_ID), confidential=named)
