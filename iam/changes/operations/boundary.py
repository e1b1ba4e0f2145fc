"""Set the permissions boundary of a user or role, or take it away.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html (PutRolePermissionsBoundary)
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUserPermissionsBoundary.html (DeleteRolePermissionsBoundary)
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self
from uuid import UUID

from iam.aws.reads.single import WORDS, EntityNow
from iam.aws.session import Aws
from iam.changes.operations import trust
from iam.changes.operations.base import Call, Effect, Image, Operation
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec
from iam.changes.operations.subject import OnSubject, SubjectParams, boundary_in_mirror, names_of
from iam.changes.risks import BOUNDARY_REMOVED
from iam.changes.world import World
from iam.mirror.models import Entity, Kind
from iam.mirror.reread import reread_boundary


@dataclass(frozen=True, slots=True)
class BoundaryParams(SubjectParams):
    """The ARN of the managed policy that becomes the boundary."""

    boundary: str


class Boundary(OnSubject):
    """What both have in common. `SLUGS` are those of the kind, only one of which is open at a time."""

    SLUGS: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def arn_after(self) -> str:
        """The ARN of the boundary afterwards; empty for none."""

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        return slug in self.SLUGS

    def wanted(self) -> Image:
        return {"boundary": self.arn_after}

    def newborn(self) -> Image:
        return {"boundary": ""}

    def image_of(self, subject: Entity) -> Image:
        return {"boundary": boundary_in_mirror(subject)}

    def image_now(self, now: EntityNow) -> Image:
        return {"boundary": now.boundary}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """The last observation is what goes into the mirror, so this costs no call after one."""
        subject = self.subject()
        if subject is not None and self.seen is not None and self.seen.now is not None:
            arn, at = self.seen.now.boundary, self.seen.at
            reread_boundary(self.account, aws, subject, arn=arn, at=at, cause_id=cause_id)

    def problems(self) -> list[str]:
        if f":role{trust.SERVICE_LINKED}" in self.given.subject_arn:
            return [f"{self.given.name} is a service-linked role, which can’t have a permissions boundary."]
        return super().problems()

    def weigh(self, world: World) -> None:
        arn = self.given.subject_arn
        number = world.number(self.arn_after) if self.arn_after else None
        world.hold(arn, replace(world.grants(arn), boundary=number))

    def restored(self, arn: str) -> Operation:
        """The operation that leaves this boundary, or none."""
        given = self.given
        names = {"name": given.name, "subject_arn": given.subject_arn, "subject_id": given.subject_id}
        put, delete = (PUTS[self.subject_kind], DELETES[self.subject_kind])
        if arn:
            return put(self.account, BoundaryParams(**names, boundary=arn))
        return delete(self.account, SubjectParams(**names))

    def inverse(self, before: Image) -> Operation | None:
        return None if before == self.wanted() else self.restored(str(before["boundary"]))


class PutBoundary(Boundary):
    """Sets a boundary, in place of the one that is there."""

    params_type = BoundaryParams
    given: BoundaryParams

    @classmethod
    def of(cls, subject: Entity, *, policy: Entity) -> Self:
        """The operation on a user or role of the mirror, with a managed policy of it."""
        return cls(subject.account, BoundaryParams(**names_of(subject), boundary=policy.arn))

    @property
    def arn_after(self) -> str:
        return self.given.boundary

    @property
    def title(self) -> str:
        return f"Set permissions boundary {self.given.boundary.rpartition('/')[2]} for {self.given.name}"

    def named(self) -> tuple[str, ...]:
        return (self.given.boundary,)

    def calls(self) -> tuple[Call, ...]:
        given, word = self.given, WORDS[self.subject_kind]
        params = {f"{word}Name": given.name, "PermissionsBoundary": given.boundary}
        sentence = f"{given.name} can do only what {given.boundary.rpartition('/')[2]} also allows"
        operation = f"Put{word}PermissionsBoundary"
        return (Call(service="iam", operation=operation, params=params, sentence=sentence),)

    def sensitivity(self, effect: Effect) -> str:
        """High when another boundary goes for it; the first one takes away only."""
        subject = self.subject()
        return HIGH if subject and boundary_in_mirror(subject) else NORMAL


class DeleteBoundary(Boundary):
    """Takes a boundary away."""

    @classmethod
    def of(cls, subject: Entity) -> Self:
        """The operation on a user or role of the mirror."""
        return cls(subject.account, SubjectParams(**names_of(subject)))

    @property
    def arn_after(self) -> str:
        return ""

    def risks(self) -> tuple[str, ...]:
        return (BOUNDARY_REMOVED,)


class OfUser:
    """The part of a user."""

    SLUGS: ClassVar[tuple[str, ...]] = ("user.put_boundary", "user.delete_boundary")


class OfRole:
    """The part of a role."""

    SLUGS: ClassVar[tuple[str, ...]] = ("role.put_boundary", "role.delete_boundary")


class PutUserBoundary(OfUser, PutBoundary):
    """Sets a user's boundary."""

    spec = OperationSpec(
        slug="user.put_boundary",
        family="user-boundary",
        subject_kind=Kind.USER.value,
        title="",
        no_op="{name} already has this permissions boundary.",
        counted=("Set the permissions boundary of", "IAM user"),
    )


class DeleteUserBoundary(OfUser, DeleteBoundary):
    """Takes a user's boundary away."""

    spec = OperationSpec(
        slug="user.delete_boundary",
        family="user-boundary",
        subject_kind=Kind.USER.value,
        title="Remove permissions boundary of {name}",
        no_op="{name} has no permissions boundary.",
        counted=("Remove the permissions boundary of", "IAM user"),
        call="DeleteUserPermissionsBoundary",
        parameters={"UserName": "name"},
        sentence="Only SCPs and RCPs limit {name} afterwards",
        weight=HIGH,
    )


class PutRoleBoundary(OfRole, PutBoundary):
    """Sets a role's boundary."""

    spec = OperationSpec(
        slug="role.put_boundary",
        family="role-boundary",
        subject_kind=Kind.ROLE.value,
        title="",
        no_op="{name} already has this permissions boundary.",
        counted=("Set the permissions boundary of", "role"),
    )


class DeleteRoleBoundary(OfRole, DeleteBoundary):
    """Takes a role's boundary away."""

    spec = OperationSpec(
        slug="role.delete_boundary",
        family="role-boundary",
        subject_kind=Kind.ROLE.value,
        title="Remove permissions boundary of {name}",
        no_op="{name} has no permissions boundary.",
        counted=("Remove the permissions boundary of", "role"),
        call="DeleteRolePermissionsBoundary",
        parameters={"RoleName": "name"},
        sentence="Only SCPs and RCPs limit {name} afterwards",
        weight=HIGH,
    )


PUTS: dict[str, type[PutBoundary]] = {"user": PutUserBoundary, "role": PutRoleBoundary}
DELETES: dict[str, type[DeleteBoundary]] = {"user": DeleteUserBoundary, "role": DeleteRoleBoundary}
