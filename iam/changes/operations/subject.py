"""Shared parts of operations on one entity: it is looked up by name, identified by its unique ID, and
refreshed by itself.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, NamedTuple
from uuid import UUID

from iam.aws.reads.single_entities import entity_now
from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.facts import EntityInMirror, facts_of
from iam.changes.operations.identity import lost_identity
from iam.changes.operations.params import Blank, Params
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.facts import FoundEntity
from iam.mirror.refresh import MadeUser, SubjectReading, reread_entity, reread_listed


class KindNames(NamedTuple):
    """The names of a kind: in AWS's calls, in sentences, and in counts ("": as in sentences).

    `identifier` is the AWS parameter that identifies an entity: by its name if it ends with Name, else by its
    ARN.
    """

    word: str
    identifier: str
    noun: str
    short_noun: str = ""

    @property
    def counted(self) -> str:
        return self.short_noun or self.noun

    @property
    def naming(self) -> Mapping[str, str]:
        """The parameters of a call that identify an entity."""
        return {self.identifier: "name" if self.identifier.endswith("Name") else "subject_arn"}


KINDS: Final[Mapping[str, KindNames]] = {
    Kind.USER: KindNames("User", "UserName", "user", "IAM user"),
    Kind.GROUP: KindNames("Group", "GroupName", "group"),
    Kind.ROLE: KindNames("Role", "RoleName", "role"),
    Kind.POLICY: KindNames("Policy", "PolicyArn", "policy", "policy|policies"),
    Kind.INSTANCE_PROFILE: KindNames("InstanceProfile", "InstanceProfileName", "instance profile"),
    Kind.MFA_DEVICE: KindNames("MFADevice", "SerialNumber", "MFA device"),
    Kind.SERVER_CERTIFICATE: KindNames("ServerCertificate", "ServerCertificateName", "server certificate"),
    Kind.SAML_PROVIDER: KindNames("SAMLProvider", "SAMLProviderArn", "SAML provider"),
    Kind.OIDC_PROVIDER: KindNames(
        "OpenIDConnectProvider", "OpenIDConnectProviderArn", "OpenID Connect provider", "OIDC provider"
    ),
}


class SubjectParams(Params):
    """The subject: its name for the AWS calls, and its ARN and unique ID at the time of the request.

    The ID is empty if an earlier change of the same set creates it.
    """

    NAMES = {"name": "name", "arn": "subject_arn", "aws_id": "subject_id"}

    name: str
    subject_arn: str
    subject_id: Blank


class SubjectSeen(NamedTuple):
    """What AWS showed; `at` is the time before the read."""

    at: datetime
    now: Any


ABSENT: Final[Image] = {"exists": False}
"""The image of an entity that doesn't exist."""


class OnSubject(Operation):
    """An operation on one entity, such as a user, group, role or instance profile."""

    missing_message = "It no longer exists in AWS, as of the last sync."
    inputs: SubjectParams
    absent: ClassVar[Image] = ABSENT
    has_identity: ClassVar[bool] = True
    """True if a unique ID tells it from another entity of the same name."""
    _fresh: Any = None
    _is_deleted: bool = False
    """True if AWS has just deleted the entity for this operation, so that it wasn't renamed."""
    seen: SubjectSeen | None = None
    made: MadeUser | None = None
    """The user that the operation has just created."""

    @property
    def noun(self) -> str:
        return KINDS[self.subject_kind].noun

    @property
    def tag_list(self) -> list[dict[str, str]]:
        return tag_list(self.inputs.tags)  # type: ignore[attr-defined]

    def modified_arns(self) -> tuple[str, ...]:
        """The current ARN, since a rename changes it."""
        subject = self.subject()
        return (subject.arn if subject else self.inputs.subject_arn,)

    def image_of(self, subject: Entity) -> Image:
        return facts_of(EntityInMirror(subject), self.spec.state)

    def image_now(self, now: Any) -> Image:
        """The image of what AWS shows."""
        return facts_of(now, self.spec.state)

    def identity_error(self, aws: Aws) -> str:
        """One call, whose result the next `observe` uses."""
        if not self.has_identity:
            return ""
        self._fresh = now = self.look(aws)
        what, current = f"The {self.noun} {self.inputs.name}", now and now.aws_id
        return lost_identity(what, current, expected=self.inputs.subject_id)

    def look(self, aws: Aws) -> Any:
        """Read the entity from AWS and keep it with the time before the read. Raises AwsError."""
        self.seen = SubjectSeen(datetime.now(tz=UTC), self.read_from_aws(aws))
        return self.seen.now

    def read_from_aws(self, aws: Aws) -> Any:
        """Read the entity from AWS; None if it doesn't exist. One call. Raises AwsError."""
        return self.look_for(aws, self.inputs.name, arn=self.inputs.subject_arn)

    def look_for(self, aws: Aws, name: str, *, arn: str = "") -> Any:
        """Read the entity with a name from AWS, a policy by its ARN. One call. Raises AwsError."""
        return entity_now(aws, kind=self.subject_kind, name=name, arn=arn)

    def observe(self, aws: Aws) -> Image:
        """One call, none right after `identity_error`."""
        now, self._fresh = self._fresh or self.look(aws), None
        return dict(self.absent) if now is None else self.image_now(now)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Four calls and one for each inline policy; none if the last read found nothing."""
        reread_entity(
            self.account,
            aws,
            kind=self.subject_kind,
            name=self.name_afterwards,
            arn=self.inputs.subject_arn,
            cause_id=cause_id,
            read=self.reading,
            is_deleted=self._is_deleted,
            made=self.made,
        )

    @property
    def reading(self) -> SubjectReading | None:
        """What the last read tells about the whole entity, so that it isn't read again."""
        return SubjectReading(self.seen.at, None) if self.seen and self.seen.now is None else None

    @property
    def name_afterwards(self) -> str:
        """The entity's name in AWS after the operation."""
        return self.inputs.name


class OnListed(OnSubject):
    """An operation on an entity that AWS lists by kind. The mirror is updated from the last read."""

    @property
    def listed_id(self) -> str:
        """Its unique ID; empty if it isn't created yet, and is found by name."""
        return self.inputs.subject_id

    @abstractmethod
    def found_of(self, now: Any) -> FoundEntity:
        """Convert what AWS shows to what the mirror's loader takes."""

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        if self.seen is None:
            self.look(aws)
        assert self.seen is not None
        aws_entity = None if self.seen.now is None else self.found_of(self.seen.now)
        aws_id = aws_entity.aws_id if aws_entity else self.listed_id
        reread_listed(
            self.account,
            kind=self.subject_kind,
            name=self.inputs.name,
            aws_id=aws_id,
            aws_entity=aws_entity,
            at=self.seen.at,
            cause_id=cause_id,
        )


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
