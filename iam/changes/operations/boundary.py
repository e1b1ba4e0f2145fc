"""Set the permissions boundary of a user or role, or take it away."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations import trust
from iam.changes.operations.base import AccessEffect, Image, Operation
from iam.changes.operations.facts import boundary_in_mirror
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec
from iam.changes.operations.subject import OnSubject, SubjectParams
from iam.changes.risks import BOUNDARY_REMOVED
from iam.changes.world import ChangeWorld
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh import reread_boundary


class BoundaryParams(SubjectParams):
    """The ARN of the managed policy that becomes the boundary."""

    boundary: str


def _is_no_service_linked_role(operation: Boundary) -> str:
    if f":role{trust.SERVICE_LINKED}" not in operation.inputs.subject_arn:
        return ""
    return f"{operation.inputs.name} is a service-linked role, which can’t have a permissions boundary."


def _put(kind: Kind, *, word: str, counted: str) -> OperationSpec:
    return OperationSpec(
        slug=f"{kind.value}.put_boundary",
        family=f"{kind.value}-boundary",
        subject_kind=kind.value,
        title="Set permissions boundary {policy_name} for {name}",
        no_op="{name} already has this permissions boundary.",
        counted=("Set the permissions boundary of", counted),
        state={"boundary": "arn_after"},
        call=f"Put{word}PermissionsBoundary",
        parameters={f"{word}Name": "name", "PermissionsBoundary": "boundary"},
        sentence="{name} can do only what {policy_name} also allows",
        requirements=(_is_no_service_linked_role,),
    )


def _delete(kind: Kind, *, word: str, counted: str) -> OperationSpec:
    return OperationSpec(
        slug=f"{kind.value}.delete_boundary",
        family=f"{kind.value}-boundary",
        subject_kind=kind.value,
        title="Remove permissions boundary of {name}",
        no_op="{name} has no permissions boundary.",
        counted=("Remove the permissions boundary of", counted),
        state={"boundary": "arn_after"},
        call=f"Delete{word}PermissionsBoundary",
        parameters={f"{word}Name": "name"},
        sentence="Only SCPs and RCPs limit {name} afterwards",
        weight=HIGH,
        requirements=(_is_no_service_linked_role,),
    )


PUT_BOUNDARY: Final[Mapping[str, OperationSpec]] = {
    Kind.USER: _put(Kind.USER, word="User", counted="IAM user"),
    Kind.ROLE: _put(Kind.ROLE, word="Role", counted="role"),
}
DELETE_BOUNDARY: Final[Mapping[str, OperationSpec]] = {
    Kind.USER: _delete(Kind.USER, word="User", counted="IAM user"),
    Kind.ROLE: _delete(Kind.ROLE, word="Role", counted="role"),
}
"""By the kind of who has a boundary."""


class Boundary(OnSubject):
    """What both directions share."""

    initial = {"boundary": ""}
    excluded = ("{subject_kind}.put_boundary", "{subject_kind}.delete_boundary")

    @property
    @abstractmethod
    def arn_after(self) -> str:
        """The ARN of the boundary afterwards; empty for none."""

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """The last observation is what goes into the mirror, so this costs no call after one."""
        subject = self.subject()
        if subject is not None and self.seen is not None and self.seen.now is not None:
            arn, at = self.seen.now.boundary, self.seen.at
            reread_boundary(self.account, aws, subject, arn=arn, at=at, cause_id=cause_id)

    def simulate(self, world: ChangeWorld) -> None:
        arn = self.inputs.subject_arn
        number = world.number(self.arn_after) if self.arn_after else None
        world.add_grants(arn, replace(world.grants(arn), boundary=number))

    def restoration(self, before: Image) -> Operation | None:
        """The operation that leaves the former boundary, or none."""
        kind, arn = self.subject_kind, str(before["boundary"])
        if not arn:
            return self.beside(f"{kind}.delete_boundary")
        return self.beside(f"{kind}.put_boundary", boundary=arn)


class PutBoundary(Boundary):
    """Sets a boundary, in place of the one that is there."""

    SPECS = tuple(PUT_BOUNDARY.values())
    inputs: BoundaryParams

    @classmethod
    def of(cls, subject: Entity, *, policy: Entity) -> Self:
        """The operation on a user or role of the mirror, with a managed policy of it."""
        return super().of(subject, boundary=policy.arn)

    @property
    def arn_after(self) -> str:
        return self.inputs.boundary

    @property
    def policy_name(self) -> str:
        """The name of the managed policy."""
        return self.inputs.boundary.rpartition("/")[2]

    def referenced_arns(self) -> tuple[str, ...]:
        return (self.inputs.boundary,)

    def sensitivity(self, effect: AccessEffect) -> str:
        """High when another boundary goes for it; the first one takes away only."""
        subject = self.subject()
        return HIGH if subject and boundary_in_mirror(subject) else NORMAL


class DeleteBoundary(Boundary):
    """Takes a boundary away."""

    SPECS = tuple(DELETE_BOUNDARY.values())

    @property
    def arn_after(self) -> str:
        return ""

    def risks(self) -> tuple[str, ...]:
        return (BOUNDARY_REMOVED,)
