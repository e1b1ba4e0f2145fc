"""What operations on the credentials of one IAM user share: the user is known by name and unique id, the
credential by AWS's id of it.

A credential is active, inactive, or not there. Making it inactive can be undone; deleting it cannot, since
AWS gives no secret out twice.
"""

from __future__ import annotations

from typing import Any, Final, Self
from uuid import UUID

from iam.aws.reads import identity
from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.credential_sorts import CredentialSpec
from iam.changes.operations.identity import found_or_none, lost_identity
from iam.changes.operations.params import Blank, Params
from iam.mirror.models import Entity, EntityState, Kind, UserCredentials, valid_at
from iam.mirror.refresh.credentials import ReadCredentials, read_credentials, reread_credentials

ACTIVE: Final = "Active"
INACTIVE: Final = "Inactive"
ABSENT: Final = ""
"""The status of a credential that is not there."""


class UserParams(Params):
    """Whose: the name that AWS is called with, and the ARN and unique id that it stood for.

    The id is empty while an earlier change of the same set is still to make the user.
    """

    NAMES = {"name": "user_name", "arn": "user_arn", "aws_id": "user_id"}

    user_name: str
    user_arn: str
    user_id: Blank


class OfUser(Operation):
    missing_message = "The user no longer exists in AWS, as of the last sync."
    can_observe_concurrently = True
    inputs: UserParams
    _read: ReadCredentials | None = None

    @property
    def section(self) -> str:
        """What of the mirror is read anew afterwards."""
        raise NotImplementedError

    def image_now(self, read: ReadCredentials) -> Image:
        """The image of what AWS showed."""
        raise NotImplementedError

    def identity_error(self, aws: Aws) -> str:
        name = self.inputs.user_name
        current = found_or_none(lambda: identity.user_id(aws, name=name))
        return lost_identity(f"User {name}", current, expected=self.inputs.user_id)

    def observe(self, aws: Aws) -> Image:
        self._read = read_credentials(aws, user_name=self.inputs.user_name, section=self.section)
        return self.image_now(self._read)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        user = self.subject()
        if user is not None:
            read = self._read or read_credentials(aws, user_name=self.inputs.user_name, section=self.section)
            reread_credentials(self.account, user, read, cause_id=cause_id)


class OfSort(OfUser):
    spec: CredentialSpec

    @property
    def kind(self) -> Kind:
        return self.spec.sort.kind

    @property
    def section(self) -> str:
        return self.spec.sort.section

    def used(self) -> int | None:
        user = self.subject()
        return None if user is None else len(owned(user, self.kind))


class NewCredential(OfSort):
    """Makes a credential, whose id AWS gives. The parameter `known` has the ids that are there already, with
    blanks between."""

    excluded = ("{slug}",)

    @classmethod
    def of(cls, user: Entity, /, *more: Any, **rest: Any) -> Self:
        known = " ".join(sorted(owned(user, cls.spec.sort.kind)))
        return super().of(user, **{"known": known} | rest)

    def image_now(self, read: ReadCredentials) -> Image:
        return {"ids": sorted(getattr(record, self.spec.sort.id_field) for record in read.records)}

    def deletion(self, credential_id: str) -> Operation:
        return self.beside(f"{self.spec.sort.slug}.delete", credential_id=credential_id)


def owned(user: Entity, kind: Kind) -> dict[str, str]:
    """The credentials of a kind that the mirror holds of a user: AWS's id → status (or the sort of a
    device)."""
    rows = EntityState.objects.filter(
        valid_at(None), kind=kind, entity__owner=user, entity__gone_at__isnull=True
    )
    return dict(rows.values_list("entity__aws_id", "category"))


def credentials_row(user: Entity) -> UserCredentials | None:
    return UserCredentials.objects.filter(valid_at(None), user=user).first()


class CredentialParams(UserParams):
    """Which credential of the user, by the id that AWS gave it."""

    credential_id: str

    @classmethod
    def names_of(cls, credential: Entity) -> dict[str, str]:
        """The parameters that name a credential of the mirror. Raises ValueError for one that belongs to no
        user of it."""
        if credential.owner is None or credential.owner.kind != Kind.USER:
            raise ValueError(f"{credential.name} doesn’t belong to a synced user.")
        return {**UserParams.names_of(credential.owner), "credential_id": credential.aws_id}


class OnCredential(OfSort):
    missing_message = "The user or credential no longer exists in AWS, as of the last sync."
    inputs: CredentialParams

    def desired_state(self) -> Image:
        return {"status": self.spec.status_after}

    def image_of(self, subject: Entity) -> Image | None:
        status = owned(subject, self.kind).get(self.inputs.credential_id)
        return None if status is None else {"status": status}

    def image_now(self, read: ReadCredentials) -> Image:
        statuses = {getattr(record, self.spec.sort.id_field): record.status for record in read.records}
        return {"status": statuses.get(self.inputs.credential_id, ABSENT)}

    @property
    def label(self) -> str:
        return f"{self.spec.sort.noun} {self.inputs.credential_id}"
