"""The sorts of credentials of an IAM user, and operations that deactivate, activate or delete one. The user
is identified by name and unique ID, the credential by the ID that AWS assigned.

A credential is active, inactive or absent. Deactivating can be undone; deleting can't, since AWS shows a
secret only once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from iam.aws.reads import identity
from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.identity import found_or_none, lost_identity
from iam.changes.operations.params import Blank, Params
from iam.changes.operations.spec import HIGH, OperationSpec, PermanentLoss
from iam.mirror.models import Entity, EntityState, Kind, UserCredentials, valid_at
from iam.mirror.pull.sections import (
    ACCESS_KEYS,
    SERVICE_CREDENTIALS,
    SIGNING_CERTIFICATES,
    SSH_KEYS,
    USER_MFA,
)
from iam.mirror.refresh.credentials import (
    ReadCredentials,
    read_credentials,
    reread_credentials,
    with_unused,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSort:
    """A sort of credentials. `section` is the section of the mirror to refresh after a change; `id_field` is
    the field of a record with its ID.
    """

    kind: Kind
    section: str
    noun: str
    short_noun: str = ""
    """The noun for counts in lists, if it differs."""
    word: str
    """The word for it in AWS's calls."""
    id_parameter: str
    id_field: str
    deletion: str = ""
    """What deleting one is called among what AWS can't restore."""
    why_permanent: str = ""
    """Why a deleted one can't be restored."""

    @property
    def slug(self) -> str:
        return self.kind.value.replace("-", "_")

    @property
    def naming(self) -> Mapping[str, str]:
        """The parameters of a call that identify a credential."""
        return {"UserName": "user_name", self.id_parameter: "credential_id"}


ACCESS_KEY: Final = CredentialSort(
    kind=Kind.ACCESS_KEY,
    section=ACCESS_KEYS,
    noun="access key",
    word="AccessKey",
    id_parameter="AccessKeyId",
    id_field="key_id",
    deletion="Delete an access key",
    why_permanent="AWS can’t restore a deleted access key. A new one has a different ID and secret.",
)
SSH_KEY: Final = CredentialSort(
    kind=Kind.SSH_KEY,
    section=SSH_KEYS,
    noun="SSH key",
    word="SSHPublicKey",
    id_parameter="SSHPublicKeyId",
    id_field="key_id",
    deletion="Delete an SSH public key",
    why_permanent="Gatehouse doesn’t keep the key. Its owner can upload it again, with a new ID.",
)
SIGNING_CERTIFICATE: Final = CredentialSort(
    kind=Kind.SIGNING_CERTIFICATE,
    section=SIGNING_CERTIFICATES,
    noun="signing certificate",
    word="SigningCertificate",
    id_parameter="CertificateId",
    id_field="certificate_id",
    deletion="Delete a signing certificate",
    why_permanent="Gatehouse doesn’t keep the certificate. Its owner can upload it again, with a new ID.",
)
SERVICE_CREDENTIAL: Final = CredentialSort(
    kind=Kind.SERVICE_CREDENTIAL,
    section=SERVICE_CREDENTIALS,
    noun="service-specific credential",
    short_noun="service credential",
    word="ServiceSpecificCredential",
    id_parameter="ServiceSpecificCredentialId",
    id_field="credential_id",
    deletion="Delete a service-specific credential",
    why_permanent="AWS can’t restore a deleted service-specific credential. A new one has a different ID and "
    "password.",
)
MFA_DEVICE: Final = CredentialSort(
    kind=Kind.MFA_DEVICE,
    section=USER_MFA,
    noun="MFA device",
    word="MFADevice",
    id_parameter="SerialNumber",
    id_field="serial_number",
)
WITH_STATUS: Final = (ACCESS_KEY, SSH_KEY, SIGNING_CERTIFICATE, SERVICE_CREDENTIAL)
"""The sorts that are active or inactive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSpec(OperationSpec):
    """An operation on one sort of credentials; `status_after` is the credential's status afterwards, "" for
    deleted.
    """

    subject_kind: str = Kind.USER.value
    sort: CredentialSort
    status_after: str = ""

    def is_on(self, kind: str) -> bool:
        return self.sort.kind == kind


ACTIVE: Final = "Active"
INACTIVE: Final = "Inactive"
ABSENT: Final = ""
"""The status of a credential that doesn't exist."""


class UserParams(Params):
    """The user: the name for the AWS calls, and the ARN and unique ID at the time of the request.

    The ID is empty if an earlier change of the same set creates the user.
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
        """The section of the mirror to refresh afterwards."""
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
            reread_credentials(
                self.account, user, with_unused(read, key_ids=self.created_ids()), cause_id=cause_id
            )

    def created_ids(self) -> tuple[str, ...]:
        """The IDs of the credentials that this change created in AWS."""
        return ()


class OfSort(OfUser):
    spec: CredentialSpec

    @property
    def kind(self) -> Kind:
        return self.spec.sort.kind

    @property
    def section(self) -> str:
        return self.spec.sort.section

    def ids_in_mirror(self, user: Entity) -> list[str]:
        """The IDs of the user's credentials of this sort, sorted."""
        return sorted(owned(user, self.kind))

    def used_by(self, user: Entity) -> int:
        return len(self.ids_in_mirror(user))


class NewCredential(OfSort):
    """Creates a credential whose ID AWS assigns. The parameter `known` has the IDs of the existing ones,
    separated by spaces.
    """

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
    """A user's credentials of a kind in the mirror: AWS's ID → status (or the type of an MFA device)."""
    rows = EntityState.objects.filter(
        valid_at(None), kind=kind, entity__owner=user, entity__gone_at__isnull=True
    )
    return dict(rows.values_list("entity__aws_id", "category"))


def credentials_row(user: Entity) -> UserCredentials | None:
    return UserCredentials.objects.filter(valid_at(None), user=user).first()


class CredentialParams(UserParams):
    """The user's credential, by the ID that AWS assigned."""

    credential_id: str

    @classmethod
    def names_of(cls, credential: Entity) -> dict[str, str]:
        """The parameters that identify a credential of the mirror. Raises ValueError if it doesn't belong to
        a user of the mirror.
        """
        if credential.owner is None or credential.owner.kind != Kind.USER:
            raise ValueError(f"{credential.name} doesn’t belong to a synced user.")
        return {**UserParams.names_of(credential.owner), "credential_id": credential.aws_id}


class OnCredential(OfSort):
    missing_message = "The user or credential no longer exists in AWS, as of the last sync."
    inputs: CredentialParams

    def desired_state(self) -> Image:
        return {"status": self.value("status_after")}

    def image_of(self, subject: Entity) -> Image | None:
        status = owned(subject, self.kind).get(self.inputs.credential_id)
        return None if status is None else {"status": status}

    def image_now(self, read: ReadCredentials) -> Image:
        statuses = {getattr(record, self.spec.sort.id_field): record.status for record in read.records}
        return {"status": statuses.get(self.inputs.credential_id, ABSENT)}

    @property
    def is_inactive(self) -> bool:
        """True if AWS showed the credential as inactive at the last sync."""
        user = self.subject()
        return user is not None and owned(user, self.kind).get(self.inputs.credential_id) == INACTIVE

    @property
    def label(self) -> str:
        return f"{self.spec.sort.noun} {self.inputs.credential_id}"


def _spec_of(sort: CredentialSort, verb: str, **rest: Any) -> CredentialSpec:
    return CredentialSpec(
        slug=f"{sort.slug}.{verb.lower()}",
        family=sort.kind.value,
        sort=sort,
        title=f"{verb} {{label}} of {{user_name}}",
        counted=(verb, sort.short_noun or sort.noun),
        **rest,
    )


def _deactivate(sort: CredentialSort) -> CredentialSpec:
    return _spec_of(
        sort,
        "Deactivate",
        status_after=INACTIVE,
        no_op="The {label} is already inactive.",
        notes=(f"Applications that use this {sort.noun} stop working.",),
        call=f"Update{sort.word}",
        parameters={**sort.naming, "Status": "status_after"},
        sentence="The {label} stops working, but isn’t deleted",
        inverse=f"{sort.slug}.activate",
    )


def _activate(sort: CredentialSort) -> CredentialSpec:
    return _spec_of(
        sort,
        "Activate",
        status_after=ACTIVE,
        no_op="The {label} is already active.",
        notes=(f"Anyone who has this {sort.noun} can do whatever {{user_name}} can.",),
        call=f"Update{sort.word}",
        parameters={**sort.naming, "Status": "status_after"},
        sentence="The {label} works again",
        weight=HIGH,
        inverse=f"{sort.slug}.deactivate",
    )


def _delete(sort: CredentialSort) -> CredentialSpec:
    return _spec_of(
        sort,
        "Delete",
        no_op="The {label} no longer exists.",
        notes=(f"Applications that use this {sort.noun} stop working.",),
        call=f"Delete{sort.word}",
        parameters=sort.naming,
        sentence="Permanently deletes the {label}",
        loss=PermanentLoss(
            sort.deletion,
            sort.why_permanent,
            "Deactivate it instead: it stops working immediately and can be reactivated.",
        ),
    )


ACTIVATE: Final[Mapping[str, CredentialSpec]] = {sort.kind: _activate(sort) for sort in WITH_STATUS}
DEACTIVATE: Final[Mapping[str, CredentialSpec]] = {sort.kind: _deactivate(sort) for sort in WITH_STATUS}
DELETE: Final[Mapping[str, CredentialSpec]] = {sort.kind: _delete(sort) for sort in WITH_STATUS}
"""The operations by kind of credential."""


class SetStatus(OnCredential):
    SPECS: ClassVar[tuple[CredentialSpec, ...]] = (*ACTIVATE.values(), *DEACTIVATE.values())

    def restoration(self, before: Image) -> Operation | None:
        """Also None if the credential did not exist."""
        return super().restoration(before) if before["status"] in (ACTIVE, INACTIVE) else None


class DeleteCredential(OnCredential):
    SPECS: ClassVar[tuple[CredentialSpec, ...]] = tuple(DELETE.values())

    @property
    def alternative(self) -> str:
        if self.is_inactive:
            return "It is already inactive, so it can’t be used. Keep it as long as it may be needed again."
        return super().alternative

    def image_of(self, subject: Entity) -> Image:
        return {"status": owned(subject, self.kind).get(self.inputs.credential_id, ABSENT)}

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True also if the credential was deactivated in the meantime. One that was activated is in use."""
        return image == before or image["status"] == INACTIVE
