"""Put a role into an instance profile, and take it out.

A profile holds one role at most. Putting a role in needs iam:PassRole on it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

from iam.aws.parallel_reads import parallel_reads
from iam.aws.reads import holdings
from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.facts import first_names
from iam.changes.operations.identity import found_or_none, lost_identity
from iam.changes.operations.params import Blank
from iam.changes.operations.spec import HIGH, OperationSpec, Quota
from iam.changes.operations.subject import OnSubject, SubjectParams
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, valid_at
from iam.mirror.refresh import reread_profile


class OnProfile(OnSubject):
    """An operation on an instance profile; the last observation is what goes into the mirror."""

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        if self.seen is not None:
            name, at, now = self.inputs.name, self.seen.at, self.seen.now
            reread_profile(self.account, name=name, now=now, at=at, cause_id=cause_id)


class RoleInProfileParams(SubjectParams):
    """Which role; the id is empty while an earlier change of the same set is still to make it."""

    role_name: str
    role_arn: str
    role_id: Blank


ADD_ROLE: Final = OperationSpec(
    slug="instance_profile.add_role",
    title="Add role {role_name} to instance profile {name}",
    no_op="{name} already has the role {role_name}.",
    counted=("Add a role to", "instance profile"),
    state={"role": "role_name"},
    call="AddRoleToInstanceProfile",
    parameters={"InstanceProfileName": "name", "RoleName": "role_name"},
    sentence="{name} gets role {role_name}",
    weight=HIGH,
    quota=Quota(
        "Roles of the profile afterwards",
        "{name} has the role {role_now}, and a profile can have only one. Remove it first.",
        usual=1,
    ),
    inverse="instance_profile.remove_role",
)
REMOVE_ROLE: Final = replace(
    ADD_ROLE,
    adds=False,
    slug="instance_profile.remove_role",
    title="Remove role {role_name} from instance profile {name}",
    no_op="{name} doesn’t have the role {role_name}.",
    counted=("Remove the role from", "instance profile"),
    call="RemoveRoleFromInstanceProfile",
    sentence="{name} no longer has a role",
    weight="",
    quota=None,
    inverse="instance_profile.add_role",
)


class RoleInProfile(OnProfile):
    SPECS = (ADD_ROLE, REMOVE_ROLE)
    initial = {"role": ""}
    inputs: RoleInProfileParams

    def modified_arns(self) -> tuple[str, ...]:
        """The role too, since anyone who has the profile works as the role."""
        return (*super().modified_arns(), self.inputs.role_arn)

    def desired_state(self) -> Image:
        return {"role": self.inputs.role_name if self.spec.adds else ""}

    def satisfied(self, image: Image) -> bool:
        """Of one that is taken out: this role is not in it, whichever else may be."""
        is_in = image == {"role": self.inputs.role_name}
        return is_in == self.spec.adds

    def inverse(self, before: Image) -> Operation | None:
        """Also of one that is taken out while another role is in it."""
        return None if before == self.desired_state() else self.restoration(before)

    def notes(self) -> tuple[str, ...]:
        becomes = "use" if self.spec.adds else "can no longer use"
        return instances_with(self.subject(), f"{becomes} {self.inputs.role_name}")

    def used(self) -> int | None:
        return int(bool(self.role_now)) if self.spec.adds else None

    @property
    def role_now(self) -> str:
        subject = self.subject()
        return str(self.image_of(subject)["role"]) if subject else ""

    def identity_error(self, aws: Aws) -> str:
        """Two calls."""
        with parallel_reads(aws) as ask:
            of_role = ask(partial(self._mismatch_of_role, aws))
            return super().identity_error(aws) or of_role()

    def _mismatch_of_role(self, aws: Aws) -> str:
        name = self.inputs.role_name
        current = found_or_none(lambda: holdings.holder_id(aws, kind=Kind.ROLE.value, name=name))
        return lost_identity(f"Role {name}", current, expected=self.inputs.role_id)


def instances_with(profile: Entity | None, becomes: str) -> tuple[str, ...]:
    """A sentence on the EC2 instances that have the profile; none where none has."""
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.INSTANCE_PROFILE, target=profile)
    names = list(edges.order_by("source__name").values_list("source__name", flat=True)) if profile else []
    if not names:
        return ()
    return (f"EC2 instances that have the profile {becomes}: {first_names(names)}.",)
