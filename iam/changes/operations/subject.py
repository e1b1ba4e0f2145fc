"""What operations on one entity share: it is looked up by its name, known by its unique id, and read back
on its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, NamedTuple
from uuid import UUID

from iam.aws.reads.single_entities import entity_now
from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.facts import LAYOUT, EntityInMirror, facts_of
from iam.changes.operations.identity import lost_identity
from iam.changes.operations.params import Blank, Params
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.facts import FoundEntity
from iam.mirror.refresh import SubjectReading, reread_entity, reread_listed


class KindNames(NamedTuple):
    """How a kind is called: in a sentence, where several are counted, and in AWS's calls, with the parameter
    that names one of it there and ours."""

    noun: str
    counted: str
    word: str
    naming: Mapping[str, str]


KINDS: Final[Mapping[str, KindNames]] = {
    Kind.USER: KindNames("user", "IAM user", "User", {"UserName": "name"}),
    Kind.GROUP: KindNames("group", "group", "Group", {"GroupName": "name"}),
    Kind.ROLE: KindNames("role", "role", "Role", {"RoleName": "name"}),
    Kind.POLICY: KindNames("policy", "policy|policies", "Policy", {"PolicyArn": "subject_arn"}),
    Kind.INSTANCE_PROFILE: KindNames(
        "instance profile", "instance profile", "InstanceProfile", {"InstanceProfileName": "name"}
    ),
    Kind.MFA_DEVICE: KindNames("MFA device", "MFA device", "MFADevice", {"SerialNumber": "subject_arn"}),
    Kind.SERVER_CERTIFICATE: KindNames(
        "server certificate", "server certificate", "ServerCertificate", {"ServerCertificateName": "name"}
    ),
    Kind.SAML_PROVIDER: KindNames(
        "SAML provider", "SAML provider", "SAMLProvider", {"SAMLProviderArn": "subject_arn"}
    ),
    Kind.OIDC_PROVIDER: KindNames(
        "OpenID Connect provider",
        "OIDC provider",
        "OpenIDConnectProvider",
        {"OpenIDConnectProviderArn": "subject_arn"},
    ),
}


class SubjectParams(Params):
    """What it is about: the name that AWS is called with, and the ARN and unique id that it stood for.

    The id is empty while an earlier change of the same set is still to make it.
    """

    NAMES = {"name": "name", "arn": "subject_arn", "aws_id": "subject_id"}

    name: str
    subject_arn: str
    subject_id: Blank


class SubjectSeen(NamedTuple):
    """What AWS showed; `at` is before the reading."""

    at: datetime
    now: Any


ABSENT: Final[Image] = {"exists": False}
"""The image of what is not there."""


class OnSubject(Operation):
    """An operation on one user, group, role or instance profile."""

    missing_message = "It no longer exists in AWS, as of the last sync."
    inputs: SubjectParams
    absent: ClassVar[Image] = ABSENT
    has_identity: ClassVar[bool] = True
    """Whether its unique id tells it from another of its name."""
    _fresh: Any = None
    seen: SubjectSeen | None = None

    @property
    def noun(self) -> str:
        return KINDS[self.subject_kind].noun

    @property
    def tag_list(self) -> list[dict[str, str]]:
        return tag_list(self.inputs.tags)  # type: ignore[attr-defined]

    def modified_arns(self) -> tuple[str, ...]:
        """Under the ARN of now, since a rename gives another."""
        subject = self.subject()
        return (subject.arn if subject else self.inputs.subject_arn,)

    def image_of(self, subject: Entity) -> Image:
        return facts_of(EntityInMirror(subject), self.spec.state)

    def image_now(self, now: Any) -> Image:
        """The image of what AWS shows."""
        return facts_of(now, self.spec.state)

    def satisfied(self, image: Image) -> bool:
        """However a text is laid out."""
        return without_layout(image) == without_layout(self.desired_state())

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        return without_layout(image) == without_layout(before)

    def identity_error(self, aws: Aws) -> str:
        """One call, which the observation that follows is spared."""
        if not self.has_identity:
            return ""
        self._fresh = now = self.look(aws)
        what, current = f"The {self.noun} {self.inputs.name}", now and now.aws_id
        return lost_identity(what, current, expected=self.inputs.subject_id)

    def look(self, aws: Aws) -> Any:
        """What AWS has now, remembered with the moment before the reading. Raises AwsError."""
        self.seen = SubjectSeen(datetime.now(tz=UTC), self.read_from_aws(aws))
        return self.seen.now

    def read_from_aws(self, aws: Aws) -> Any:
        """What AWS has of it now, None where there is nothing; one call. Raises AwsError."""
        return self.look_for(aws, self.inputs.name, arn=self.inputs.subject_arn)

    def look_for(self, aws: Aws, name: str, *, arn: str = "") -> Any:
        """What AWS has under a name, or for policies under an ARN; one call. Raises AwsError."""
        return entity_now(aws, kind=self.subject_kind, name=name, arn=arn)

    def observe(self, aws: Aws) -> Image:
        """One call, none right after `identity_error`."""
        now, self._fresh = self._fresh or self.look(aws), None
        return dict(self.absent) if now is None else self.image_now(now)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Four calls and one for each inline policy, none where nothing was there at the last look."""
        reread_entity(
            self.account,
            aws,
            kind=self.subject_kind,
            name=self.name_afterwards,
            arn=self.inputs.subject_arn,
            cause_id=cause_id,
            read=self.reading,
        )

    @property
    def reading(self) -> SubjectReading | None:
        """What the last look tells of the whole entity, so that it need not be read again."""
        return SubjectReading(self.seen.at, None) if self.seen and self.seen.now is None else None

    @property
    def name_afterwards(self) -> str:
        """The name under which AWS has it once this is done."""
        return self.inputs.name


class OnListed(OnSubject):
    """An operation on what AWS lists with its kind. What was seen last is what goes into the mirror."""

    @property
    def listed_id(self) -> str:
        """Its unique id; empty for what is still to be made, which is known by its name."""
        return self.inputs.subject_id

    @abstractmethod
    def found_of(self, now: Any) -> FoundEntity:
        """What the loader of the mirror takes."""

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


def without_layout(image: Image) -> Image:
    return {fact: value for fact, value in image.items() if fact != LAYOUT}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
