"""Give an EC2 instance an instance profile, another one, or none.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisassociateIamInstanceProfile.html
What runs on the instance gets the role's credentials within some minutes, and those that it has stay valid until they expire.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from iam.aws.reads.instances import ProfileOfInstance, profile_of_instance
from iam.aws.session import Aws
from iam.changes.operations.base import Call, Effect, Image, Operation
from iam.changes.operations.lifecycle import state_of
from iam.changes.operations.spec import HIGH, OperationSpec
from iam.changes.operations.subject import SubjectParams, names_of
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, valid_at
from iam.mirror.reread import reread_instance


@dataclass(frozen=True, slots=True)
class InstanceParams(SubjectParams):
    """Which instance, the profile that it is to have (blank: none), and the association that it has (blank: none)."""

    BLANK: ClassVar[frozenset[str]] = frozenset({"profile_arn", "association_id"})

    profile_arn: str
    association_id: str

    @property
    def region(self) -> str:
        """The region of the instance."""
        return self.subject_arn.split(":")[3]


class ProfileAssociation(Operation):
    """What the three have in common."""

    gone = "The instance no longer exists in AWS, as of the last sync."

    given: InstanceParams

    _fresh: ProfileOfInstance | None = None
    _shown = ProfileOfInstance()

    params_type = InstanceParams

    @classmethod
    def on(cls, instance: Entity, *, profile_arn: str = "") -> Self:
        """The operation on an instance of the mirror, with the association that it has now."""
        now = _standing(instance)
        given = InstanceParams(
            **names_of(instance), profile_arn=profile_arn, association_id=str(now["association"])
        )
        return cls(instance.account, given)

    @property
    def subject_id(self) -> str:
        """The instance's id."""
        return self.given.subject_id

    @property
    def profile(self) -> str:
        """The name of the profile that it is to have."""
        return self.given.profile_arn.rpartition("/")[2]

    def touched(self) -> tuple[str, ...]:
        return (self.given.subject_arn,)

    def named(self) -> tuple[str, ...]:
        return (self.given.profile_arn,) if self.given.profile_arn else ()

    def subject(self) -> Entity | None:
        return Entity.objects.filter(
            account=self.account, kind=Kind.INSTANCE, aws_id=self.given.subject_id, gone_at__isnull=True
        ).first()

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        """Each is planned on the association of now, so only one can be open at a time."""
        return slug.startswith("instance.")

    def wanted(self) -> Image:
        """The id of the association is AWS's to give."""
        return {"profile": self.given.profile_arn}

    def satisfied(self, image: Image) -> bool:
        return bool(image["profile"] == self.given.profile_arn)

    def mirrored(self) -> Image | None:
        instance = self.subject()
        return None if instance is None else _standing(instance)

    def mismatch(self, aws: Aws) -> str:
        """Two calls, which the observation that follows is spared."""
        self._fresh = self._look(aws)
        return "" if self._fresh else f"Instance {self.given.subject_id} no longer exists in AWS."

    def observe(self, aws: Aws) -> Image:
        """Two calls, none right after `mismatch`."""
        self._shown, self._fresh = self._fresh or self._look(aws) or ProfileOfInstance(), None
        return {"profile": self._shown.profile_arn, "association": self._shown.association_id}

    def _look(self, aws: Aws) -> ProfileOfInstance | None:
        return profile_of_instance(aws, instance_id=self.given.subject_id, region=self.given.region)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """One call."""
        reread_instance(
            self.account,
            aws,
            instance_id=self.given.subject_id,
            region=self.given.region,
            association_id=self._shown.association_id,
            cause_id=cause_id,
        )

    def call(self, operation: str, *, sentence: str, **params: Any) -> Call:
        """A call of EC2 in the region of the instance."""
        return Call("ec2", operation, params, sentence, region=self.given.region)

    @property
    def wanted_profile(self) -> dict[str, str]:
        """The profile as the calls name it."""
        return {"Arn": self.given.profile_arn}

    def effect(self) -> Effect:
        return Effect(notes=(self.note, _OLD_CREDENTIALS))

    @property
    @abstractmethod
    def note(self) -> str:
        """A sentence on what the instance can do then."""

    def inverse(self, before: Image) -> Operation | None:
        """The association of before; its id is AWS's to give anew."""
        instance = self.subject()
        if instance is None or self.satisfied(before):
            return None
        arn = str(before["profile"])
        if not arn:
            return DisassociateProfile.on(instance)
        return (ReplaceProfile if self.given.profile_arn else AssociateProfile).on(instance, profile_arn=arn)


_OLD_CREDENTIALS = "Credentials that the instance already has stay valid for a few hours, until they expire."


class AssociateProfile(ProfileAssociation):
    """Gives a profile to an instance that has none."""

    spec = OperationSpec(
        slug="instance.associate_profile",
        family="instance-profile-association",
        subject_kind=Kind.INSTANCE.value,
        title="Attach instance profile {profile} to {name}",
        no_op="{name} already has this instance profile.",
        counted=("Attach an instance profile to", "EC2 instance"),
        weight=HIGH,
    )

    def calls(self) -> tuple[Call, ...]:
        sentence = f"{self.given.name} has the instance profile {self.profile}"
        instance = {"InstanceId": self.given.subject_id, "IamInstanceProfile": self.wanted_profile}
        return (self.call("AssociateIamInstanceProfile", sentence=sentence, **instance),)

    @property
    def note(self) -> str:
        return f"Applications on {self.given.name} can use the role in {self.profile}."


class ReplaceProfile(ProfileAssociation):
    """Gives an instance another profile than it has."""

    spec = OperationSpec(
        slug="instance.replace_profile",
        family="instance-profile-association",
        subject_kind=Kind.INSTANCE.value,
        title="Replace instance profile of {name} with {profile}",
        no_op="{name} already has this instance profile.",
        counted=("Replace the instance profile of", "EC2 instance"),
        weight=HIGH,
    )

    def calls(self) -> tuple[Call, ...]:
        sentence = f"{self.given.name} has instance profile {self.profile} instead of the previous one"
        what = {"AssociationId": self.given.association_id, "IamInstanceProfile": self.wanted_profile}
        return (self.call("ReplaceIamInstanceProfileAssociation", sentence=sentence, **what),)

    @property
    def note(self) -> str:
        return f"Applications on {self.given.name} can use the role in {self.profile} instead of the previous role."


class DisassociateProfile(ProfileAssociation):
    """Takes the profile from an instance."""

    spec = OperationSpec(
        slug="instance.disassociate_profile",
        family="instance-profile-association",
        subject_kind=Kind.INSTANCE.value,
        title="Detach instance profile from {name}",
        no_op="{name} has no instance profile.",
        counted=("Detach the instance profile of", "EC2 instance"),
    )

    def calls(self) -> tuple[Call, ...]:
        sentence = f"{self.given.name} no longer has an instance profile"
        what = {"AssociationId": self.given.association_id}
        return (self.call("DisassociateIamInstanceProfile", sentence=sentence, **what),)

    @property
    def note(self) -> str:
        return f"Applications on {self.given.name} no longer get credentials of a role."


def profile_for(instance: Entity, *, profile: Entity | None) -> Operation:
    """The operation by which an instance of the mirror gets this profile, or has none."""
    if profile is None:
        return DisassociateProfile.on(instance)
    has_one = bool(_standing(instance)["profile"])
    return (ReplaceProfile if has_one else AssociateProfile).on(instance, profile_arn=profile.arn)


def _standing(instance: Entity) -> Image:
    """How an instance of the mirror stands, as `observe` gives it of AWS."""
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.INSTANCE_PROFILE, source=instance)
    state = state_of(instance)
    association = (state.attrs.get("AssociationId") if state else "") or ""
    return {"profile": edges.values_list("target__arn", flat=True).first() or "", "association": association}
