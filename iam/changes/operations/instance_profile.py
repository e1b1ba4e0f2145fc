"""Create and delete instance profiles, add a role to one, and attach one to an EC2 instance.

A profile has at most one role. Adding a role requires iam:PassRole on it. Applications on an instance get the
role's credentials within minutes; credentials that they already have stay valid until they expire.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final, Self
from uuid import UUID

from iam.aws.parallel_reads import parallel_reads
from iam.aws.reads import holdings
from iam.aws.reads.instances import ProfileOfInstance, profile_of_instance
from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.facts import state_of, target_in_mirror
from iam.changes.operations.identity import found_or_none, lost_identity
from iam.changes.operations.lifecycle import Create, Delete, account_quota, creation, removal
from iam.changes.operations.params import Blank
from iam.changes.operations.spec import HIGH, OperationSpec, Quota
from iam.changes.operations.subject import OnSubject, SubjectParams
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, valid_at
from iam.mirror.refresh import reread_instance, reread_profile
from iam.phrases import first_names


class OnProfile(OnSubject):
    """An operation on an instance profile. The mirror is updated from the last observation."""

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        if self.seen is not None:
            name, at, now = self.inputs.name, self.seen.at, self.seen.now
            reread_profile(self.account, name=name, now=now, at=at, cause_id=cause_id)


class RoleInProfileParams(SubjectParams):
    """The role; the ID is empty if an earlier change of the same set creates it."""

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
REMOVE_ROLE: Final = ADD_ROLE.opposite(
    slug="instance_profile.remove_role",
    title="Remove role {role_name} from instance profile {name}",
    no_op="{name} doesn’t have the role {role_name}.",
    counted=("Remove the role from", "instance profile"),
    call="RemoveRoleFromInstanceProfile",
    sentence="{name} no longer has a role",
    weight="",
    quota=None,
)


class RoleInProfile(OnProfile):
    SPECS = (ADD_ROLE, REMOVE_ROLE)
    initial = {"role": ""}
    inputs: RoleInProfileParams

    def modified_arns(self) -> tuple[str, ...]:
        """Include the role, because anything that has the profile acts as the role."""
        return (*super().modified_arns(), self.inputs.role_arn)

    def desired_state(self) -> Image:
        return {"role": self.inputs.role_name if self.spec.adds else ""}

    def satisfied(self, image: Image) -> bool:
        """For a removal, true if this role is not in the profile, even if another one is."""
        is_in = image == {"role": self.inputs.role_name}
        return is_in == self.spec.adds

    def inverse(self, before: Image) -> Operation | None:
        """Also return an inverse for a removal while another role is in the profile."""
        return None if before == self.desired_state() else self.restoration(before)

    def notes(self) -> tuple[str, ...]:
        becomes = "use" if self.spec.adds else "can no longer use"
        return instances_with(self.subject(), f"{becomes} {self.inputs.role_name}")

    def used(self) -> int:
        return int(bool(self.role_now))

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
    """A sentence on the EC2 instances that have the profile; empty if there are none."""
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.INSTANCE_PROFILE, target=profile)
    names = list(edges.order_by("source__name").values_list("source__name", flat=True)) if profile else []
    if not names:
        return ()
    return (f"EC2 instances that have the profile {becomes}: {first_names(names)}.",)


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
    spec = removal(CreateInstanceProfile.spec)

    def notes(self) -> tuple[str, ...]:
        return instances_with(self.subject(), "lose it. AWS doesn’t detach it automatically")


class InstanceParams(SubjectParams):
    """The instance, the profile that it will have (blank: none), and its current association
    (blank: none).
    """

    subject_id: str
    profile_arn: Blank
    association_id: Blank


_OLD_CREDENTIALS: Final = (
    "Credentials that the instance already has stay valid for a few hours, until they expire."
)
ASSOCIATE: Final = OperationSpec(
    slug="instance.associate_profile",
    family="instance-profile-association",
    title="Attach instance profile {profile} to {name}",
    no_op="{name} already has this instance profile.",
    counted=("Attach an instance profile to", "EC2 instance"),
    notes=("Applications on {name} can use the role in {profile}.", _OLD_CREDENTIALS),
    state={"profile": "profile_arn"},
    service="ec2",
    call="AssociateIamInstanceProfile",
    parameters={"InstanceId": "subject_id", "IamInstanceProfile": "wanted_profile"},
    sentence="{name} has the instance profile {profile}",
    weight=HIGH,
)
REPLACE: Final = replace(
    ASSOCIATE,
    slug="instance.replace_profile",
    title="Replace instance profile of {name} with {profile}",
    counted=("Replace the instance profile of", "EC2 instance"),
    notes=(
        "Applications on {name} can use the role in {profile} instead of the previous role.",
        _OLD_CREDENTIALS,
    ),
    call="ReplaceIamInstanceProfileAssociation",
    parameters={"AssociationId": "association_id", "IamInstanceProfile": "wanted_profile"},
    sentence="{name} has instance profile {profile} instead of the previous one",
)
DISASSOCIATE: Final = replace(
    ASSOCIATE,
    slug="instance.disassociate_profile",
    title="Detach instance profile from {name}",
    no_op="{name} has no instance profile.",
    counted=("Detach the instance profile of", "EC2 instance"),
    notes=("Applications on {name} no longer get credentials of a role.", _OLD_CREDENTIALS),
    call="DisassociateIamInstanceProfile",
    parameters={"AssociationId": "association_id"},
    sentence="{name} no longer has an instance profile",
    weight="",
)


class ProfileAssociation(OnSubject):
    excluded = ("instance.",)
    references = ("profile_arn",)
    SPECS = (ASSOCIATE, REPLACE, DISASSOCIATE)
    missing_message = "The instance no longer exists in AWS, as of the last sync."
    absent = {"profile": "", "association": ""}
    inputs: InstanceParams

    @classmethod
    def of_instance(cls, spec: OperationSpec, instance: Entity, *, profile_arn: str = "") -> Self:
        """Return the operation on an instance of the mirror, with its current association."""
        association = str(_state_in_mirror(instance)["association"])
        return cls.of(spec, instance, profile_arn=profile_arn, association_id=association)

    @property
    def profile(self) -> str:
        return self.inputs.profile_arn.rpartition("/")[2]

    def satisfied(self, image: Image) -> bool:
        """Compare only the profile, because AWS assigns the association ID."""
        return bool(image["profile"] == self.inputs.profile_arn)

    def image_of(self, subject: Entity) -> Image:
        return _state_in_mirror(subject)

    def image_now(self, now: ProfileOfInstance) -> Image:
        return {"profile": now.profile_arn, "association": now.association_id}

    def identity_error(self, aws: Aws) -> str:
        self._fresh = self.look(aws)
        return "" if self._fresh else f"Instance {self.inputs.subject_id} no longer exists in AWS."

    def read_from_aws(self, aws: Aws) -> ProfileOfInstance | None:
        """Two calls."""
        return profile_of_instance(aws, instance_id=self.inputs.subject_id, region=self.region)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        shown = self.image_now(self.seen.now) if self.seen and self.seen.now else self.absent
        reread_instance(
            self.account,
            aws,
            instance_id=self.inputs.subject_id,
            region=self.region,
            association_id=shown["association"],
            cause_id=cause_id,
        )

    @property
    def region(self) -> str:
        return self.inputs.subject_arn.split(":")[3]

    @property
    def wanted_profile(self) -> dict[str, str]:
        return {"Arn": self.inputs.profile_arn}

    def restoration(self, before: Image) -> Operation | None:
        instance = self.subject()
        if instance is None:
            return None
        arn = str(before["profile"])
        if not arn:
            return ProfileAssociation.of_instance(DISASSOCIATE, instance)
        spec = REPLACE if self.inputs.profile_arn else ASSOCIATE
        return ProfileAssociation.of_instance(spec, instance, profile_arn=arn)


def profile_for(instance: Entity, *, profile: Entity | None) -> Operation:
    """Return the operation that gives an instance of the mirror this profile, or removes its
    profile if None.
    """
    if profile is None:
        return ProfileAssociation.of_instance(DISASSOCIATE, instance)
    spec = REPLACE if _state_in_mirror(instance)["profile"] else ASSOCIATE
    return ProfileAssociation.of_instance(spec, instance, profile_arn=profile.arn)


def _state_in_mirror(instance: Entity) -> Image:
    arn = target_in_mirror(instance, EdgeKind.INSTANCE_PROFILE, "arn")
    state = state_of(instance)
    association = (state.attrs.get("AssociationId") if state else "") or ""
    return {"profile": arn, "association": association}
