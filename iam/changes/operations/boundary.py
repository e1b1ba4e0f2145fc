"""Set or remove the permissions boundary of a user or role."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.access_effects import AccessEffect
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.facts import boundary_in_mirror
from iam.changes.operations.spec import HIGH, NORMAL, SERVICE_LINKED, OperationSpec, refuse
from iam.changes.operations.subject import KINDS, OnSubject, SubjectParams
from iam.changes.risks import BOUNDARY_REMOVED
from iam.changes.world import ChangeWorld
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh import reread_boundary


class BoundaryParams(SubjectParams):
    boundary: str


_ORDINARY_ROLES: Final = refuse(
    SERVICE_LINKED, "{name} is a service-linked role, which can’t have a permissions boundary."
)


def _put(kind: Kind) -> OperationSpec:
    names = KINDS[kind]
    return OperationSpec(
        slug=f"{kind.value}.put_boundary",
        family=f"{kind.value}-boundary",
        title="Set permissions boundary {policy_name} for {name}",
        no_op="{name} already has this permissions boundary.",
        counted=("Set the permissions boundary of", names.counted),
        state={"boundary": "arn_after"},
        call=f"Put{names.word}PermissionsBoundary",
        parameters={**names.naming, "PermissionsBoundary": "boundary"},
        sentence="{name} can do only what {policy_name} also allows",
        requirements=(_ORDINARY_ROLES,),
    )


def _delete(put: OperationSpec) -> OperationSpec:
    names = KINDS[put.subject_kind]
    return replace(
        put,
        slug=f"{put.subject_kind}.delete_boundary",
        title="Remove permissions boundary of {name}",
        no_op="{name} has no permissions boundary.",
        counted=("Remove the permissions boundary of", names.counted),
        call=f"Delete{names.word}PermissionsBoundary",
        parameters=names.naming,
        sentence="Only SCPs and RCPs limit {name} afterwards",
        weight=HIGH,
        risks=(BOUNDARY_REMOVED,),
    )


PUT_BOUNDARY: Final[Mapping[str, OperationSpec]] = {kind: _put(kind) for kind in (Kind.USER, Kind.ROLE)}
DELETE_BOUNDARY: Final[Mapping[str, OperationSpec]] = {
    kind: _delete(put) for kind, put in PUT_BOUNDARY.items()
}
"""The operations by kind of subject."""


class Boundary(OnSubject):
    initial = {"boundary": ""}
    excluded = ("{subject_kind}.put_boundary", "{subject_kind}.delete_boundary")

    @property
    @abstractmethod
    def arn_after(self) -> str:
        """The ARN of the boundary afterwards; empty for none."""

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        subject = self.subject()
        if subject is not None and self.seen is not None and self.seen.now is not None:
            arn, at = self.seen.now.boundary, self.seen.at
            reread_boundary(self.account, aws, subject, arn=arn, at=at, cause_id=cause_id)

    def simulate(self, world: ChangeWorld) -> None:
        arn = self.inputs.subject_arn
        number = world.number(self.arn_after) if self.arn_after else None
        world.set_holdings(arn, replace(world.grants(arn), boundary=number))

    def restoration(self, before: Image) -> Operation | None:
        kind, arn = self.subject_kind, str(before["boundary"])
        if not arn:
            return self.beside(f"{kind}.delete_boundary")
        return self.beside(f"{kind}.put_boundary", boundary=arn)


class PutBoundary(Boundary):
    SPECS = tuple(PUT_BOUNDARY.values())
    references = ("boundary",)
    inputs: BoundaryParams

    @classmethod
    def of(cls, subject: Entity, *, policy: Entity) -> Self:
        return super().of(subject, boundary=policy.arn)

    @property
    def arn_after(self) -> str:
        return self.inputs.boundary

    @property
    def policy_name(self) -> str:
        return self.inputs.boundary.rpartition("/")[2]

    def sensitivity(self, effect: AccessEffect) -> str:
        """High if it replaces another boundary. A first boundary can only remove permissions."""
        subject = self.subject()
        return HIGH if subject and boundary_in_mirror(subject) else NORMAL


class DeleteBoundary(Boundary):
    SPECS = tuple(DELETE_BOUNDARY.values())
    arn_after = ""
