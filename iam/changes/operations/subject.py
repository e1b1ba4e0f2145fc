"""What operations on one entity share: it is looked up by its name, known by its unique id, and read back
on its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Final, NamedTuple
from uuid import UUID

from iam.aws.reads.single import EntityNow, entity_now
from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.entity_lookup import find_current_entity
from iam.changes.operations.params import Params
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, TagSet, valid_at
from iam.mirror.refresh import SubjectReading, reread_entity

NOUNS: Final = {
    Kind.USER.value: "user",
    Kind.GROUP.value: "group",
    Kind.ROLE.value: "role",
    Kind.INSTANCE_PROFILE.value: "instance profile",
    Kind.POLICY.value: "policy",
    Kind.MFA_DEVICE.value: "MFA device",
    Kind.SERVER_CERTIFICATE.value: "server certificate",
    Kind.SAML_PROVIDER.value: "SAML provider",
    Kind.OIDC_PROVIDER.value: "OpenID Connect provider",
}
"""How a sentence names each kind."""


@dataclass(frozen=True, slots=True)
class SubjectParams(Params):
    """What it is about: the name that AWS is called with, and the ARN and unique id that it stood for.

    The id is empty while an earlier change of the same set is still to make it. `BLANK` are the fields that
    may be empty.
    """

    BLANK: ClassVar[frozenset[str]] = frozenset({"subject_id"})

    name: str
    subject_arn: str
    subject_id: str


def names_of(entity: Entity) -> dict[str, str]:
    """The parameters that name an entity of the mirror."""
    return {"name": entity.name, "subject_arn": entity.arn, "subject_id": entity.aws_id}


class SubjectSeen(NamedTuple):
    """What AWS showed; `at` is before the reading."""

    at: datetime
    now: EntityNow | None


class OnSubject(Operation):
    """An operation on one user, group, role or instance profile."""

    missing_message = "It no longer exists in AWS, as of the last sync."
    params_type: ClassVar[type[SubjectParams]] = SubjectParams
    inputs: SubjectParams
    _fresh: EntityNow | None = None
    seen: SubjectSeen | None = None

    @property
    def subject_id(self) -> str:
        """The unique id; the ARN while there is none."""
        return self.inputs.subject_id or self.inputs.subject_arn

    @property
    def noun(self) -> str:
        """What it is, in a sentence."""
        return NOUNS[self.subject_kind]

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """The tags that it is to have, as AWS's calls take them."""
        return tag_list(self.inputs.tags)  # type: ignore[attr-defined]

    def modified_arns(self) -> tuple[str, ...]:
        """Under the ARN of now, since a rename gives another."""
        subject = self.subject()
        return (subject.arn if subject else self.inputs.subject_arn,)

    def subject(self) -> Entity | None:
        params = self.inputs
        return find_current_entity(
            self.account, kind=self.subject_kind, aws_id=params.subject_id, arn=params.subject_arn
        )

    def state_in_mirror(self) -> Image | None:
        subject = self.subject()
        return None if subject is None else self.image_of(subject)

    @abstractmethod
    def image_of(self, subject: Entity) -> Image:
        """The image of what the mirror holds."""

    @abstractmethod
    def image_now(self, now: EntityNow) -> Image:
        """The image of what AWS shows."""

    def identity_error(self, aws: Aws) -> str:
        """One call, which the observation that follows is spared."""
        self.seen = SubjectSeen(datetime.now(tz=UTC), self.look(aws))
        self._fresh = now = self.seen.now
        if now is None:
            return f"The {self.noun} {self.inputs.name} no longer exists in AWS."
        if self.inputs.subject_id and now.aws_id != self.inputs.subject_id:
            return (
                f"The {self.noun} {self.inputs.name} was deleted and recreated: "
                f"its ID is now {now.aws_id}, not {self.inputs.subject_id}."
            )
        return ""

    def look(self, aws: Aws) -> EntityNow | None:
        """What AWS has under the name; one call. Raises AwsError."""
        params = self.inputs
        return entity_now(aws, kind=self.subject_kind, name=params.name, arn=params.subject_arn)

    def observe(self, aws: Aws) -> Image:
        """One call, none right after `identity_error`."""
        if self._fresh is None:
            self.seen = SubjectSeen(datetime.now(tz=UTC), self.look(aws))
        self._fresh, now = None, self.seen.now if self.seen else None
        return dict(ABSENT) if now is None else self.image_now(now)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Four calls and one for each inline policy, none where nothing was there at the last look."""
        nothing_there = SubjectReading(self.seen.at, None) if self.seen and self.seen.now is None else None
        reread_entity(
            self.account,
            aws,
            kind=self.subject_kind,
            name=self.name_afterwards,
            arn=self.inputs.subject_arn,
            cause_id=cause_id,
            read=nothing_there,
        )

    @property
    def name_afterwards(self) -> str:
        """The name under which AWS has it once this is done."""
        return self.inputs.name


ABSENT: Final[Image] = {"exists": False}
"""The image of what is not there."""


def tags_in_mirror(entity: Entity) -> dict[str, str]:
    """The tags that the mirror holds of an entity."""
    tag_values = TagSet.objects.filter(valid_at(None), entity=entity).values_list("tags", flat=True).first()
    return dict(tag_values or {})


def boundary_in_mirror(entity: Entity) -> str:
    """The ARN of the permissions boundary that the mirror holds of a user or role; empty for none."""
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.BOUNDARY, source=entity)
    return edges.values_list("target__arn", flat=True).first() or ""


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS's calls take them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
