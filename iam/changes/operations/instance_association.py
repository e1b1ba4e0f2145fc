"""Give an EC2 instance an instance profile, another one, or none.

What runs on the instance gets the role's credentials within some minutes, and those that it has stay valid
until they expire.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Self
from uuid import UUID

from iam.aws.reads.instances import ProfileOfInstance, profile_of_instance
from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.facts import state_of, target_in_mirror
from iam.changes.operations.params import Blank
from iam.changes.operations.spec import HIGH, OperationSpec
from iam.changes.operations.subject import SubjectParams
from iam.mirror.models import EdgeKind, Entity
from iam.mirror.refresh import reread_instance


class InstanceParams(SubjectParams):
    """Which instance, the profile that it is to have (blank: none), and the association that it has
    (blank: none)."""

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


class ProfileAssociation(Operation):
    excluded = ("instance.",)
    SPECS = (ASSOCIATE, REPLACE, DISASSOCIATE)
    missing_message = "The instance no longer exists in AWS, as of the last sync."
    inputs: InstanceParams
    _fresh: ProfileOfInstance | None = None
    _shown = ProfileOfInstance()

    @classmethod
    def of_instance(cls, spec: OperationSpec, instance: Entity, *, profile_arn: str = "") -> Self:
        """The operation on an instance of the mirror, with the association that it has now."""
        association = str(_state_in_mirror(instance)["association"])
        return cls.of(spec, instance, profile_arn=profile_arn, association_id=association)

    @property
    def profile(self) -> str:
        return self.inputs.profile_arn.rpartition("/")[2]

    def referenced_arns(self) -> tuple[str, ...]:
        return (self.inputs.profile_arn,) if self.inputs.profile_arn else ()

    def satisfied(self, image: Image) -> bool:
        """The id of the association is AWS's to give."""
        return bool(image["profile"] == self.inputs.profile_arn)

    def image_of(self, subject: Entity) -> Image:
        return _state_in_mirror(subject)

    def identity_error(self, aws: Aws) -> str:
        """Two calls, which the observation that follows is spared."""
        self._fresh = self._read_instance(aws)
        return "" if self._fresh else f"Instance {self.inputs.subject_id} no longer exists in AWS."

    def observe(self, aws: Aws) -> Image:
        """Two calls, none right after `identity_error`."""
        self._shown, self._fresh = self._fresh or self._read_instance(aws) or ProfileOfInstance(), None
        return {"profile": self._shown.profile_arn, "association": self._shown.association_id}

    def _read_instance(self, aws: Aws) -> ProfileOfInstance | None:
        return profile_of_instance(aws, instance_id=self.inputs.subject_id, region=self.region)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        reread_instance(
            self.account,
            aws,
            instance_id=self.inputs.subject_id,
            region=self.region,
            association_id=self._shown.association_id,
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
    """The operation by which an instance of the mirror gets this profile, or has none."""
    if profile is None:
        return ProfileAssociation.of_instance(DISASSOCIATE, instance)
    spec = REPLACE if _state_in_mirror(instance)["profile"] else ASSOCIATE
    return ProfileAssociation.of_instance(spec, instance, profile_arn=profile.arn)


def _state_in_mirror(instance: Entity) -> Image:
    arn = target_in_mirror(instance, EdgeKind.INSTANCE_PROFILE, "arn")
    state = state_of(instance)
    association = (state.attrs.get("AssociationId") if state else "") or ""
    return {"profile": arn, "association": association}
