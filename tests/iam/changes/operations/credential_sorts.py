"""What the cases of credentials share: each sort of them, made, listed and altered by boto3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.params import Recipient
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import ACCESS_KEYS, SERVICE_CREDENTIALS, SIGNING_CERTIFICATES, SSH_KEYS
from iam.mirror.refresh.credentials import read_credentials, reread_credentials
from tests.iam.changes.operations.key_pairs import certificate, public_key
from tests.iam.changes.operations.stage import Stage

Make = Callable[[Stage], Operation]
CODECOMMIT = "codecommit.amazonaws.com"


def see(stage: Stage, user: Entity, section: str, *, spare: tuple[str, ...] = ()) -> None:
    """Have the mirror read a section of the user's credentials."""
    read = read_credentials(stage.scene.aws, user_name=user.name, section=section)
    reread_credentials(stage.account, user, replace(read, spare=spare), cause_id=None)


def recipient(stage: Stage) -> Recipient:
    """Who asks reads the secret."""
    return Recipient(stage.scene.requester.person_id, stage.scene.requester.name)


def kept(stage: Stage, kind: Kind) -> Entity:
    """The credential that the stage keeps, as the mirror has it."""
    entities = Entity.objects.select_related("owner", "account")
    return entities.get(account=stage.account, kind=kind, aws_id=stage.keep["id"])


class Sort:
    """One sort of credential: how boto3 makes one, changes its status, and lists those of a user."""

    def __init__(
        self,
        kind: Kind,
        section: str,
        *,
        word: str,
        id_name: str,
        made: Callable[[Stage, str], str],
        listed: Callable[[Stage, str], list[dict[str, Any]]],
    ) -> None:
        self.kind, self.section, self.word, self.id_name = kind, section, word, id_name
        self._made, self._listed = made, listed

    def make(self, stage: Stage, *, status: str = "Active") -> Entity:
        """One of this status, in AWS and in the mirror; its user."""
        user = stage.user()
        stage.keep.update(user=user.name, id=self._made(stage, user.name))
        self.set(stage, status)
        see(stage, user, self.section)
        return user

    def with_one(self, operation: Callable[[Entity], Operation], *, status: str) -> Make:
        """An operation on one of this status."""

        def make(stage: Stage) -> Operation:
            self.make(stage, status=status)
            return operation(kept(stage, self.kind))

        return make

    def set(self, stage: Stage, status: str) -> None:
        """Give it a status by hand."""
        self._call(stage, "update", Status=status)

    def delete(self, stage: Stage) -> None:
        """Somebody deletes it."""
        self._call(stage, "delete")

    def _call(self, stage: Stage, verb: str, **params: Any) -> None:
        named = {"UserName": stage.keep["user"], self.id_name: stage.keep["id"]}
        getattr(stage.iam, f"{verb}_{self.word}")(**named, **params)

    def shows(self, stage: Stage) -> Any:
        """Its status."""
        _listed = self._listed(stage, stage.keep["user"])
        return {row[self.id_name]: row["Status"] for row in _listed}.get(stage.keep["id"])

    def counts(self, stage: Stage) -> Any:
        """The statuses of all that the user has."""
        return sorted(row["Status"] for row in self._listed(stage, stage.keep["user"]))

    def add(self, stage: Stage) -> None:
        """Somebody makes another."""
        self._made(stage, stage.keep["user"])


KEYS = Sort(
    Kind.ACCESS_KEY,
    ACCESS_KEYS,
    word="access_key",
    id_name="AccessKeyId",
    made=lambda stage, user: stage.iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"],
    listed=lambda stage, user: stage.iam.list_access_keys(UserName=user)["AccessKeyMetadata"],
)
SERVICES = Sort(
    Kind.SERVICE_CREDENTIAL,
    SERVICE_CREDENTIALS,
    word="service_specific_credential",
    id_name="ServiceSpecificCredentialId",
    made=lambda stage, user: stage.iam.create_service_specific_credential(
        UserName=user, ServiceName=CODECOMMIT
    )["ServiceSpecificCredential"]["ServiceSpecificCredentialId"],
    listed=lambda stage, user: stage.iam.list_service_specific_credentials(UserName=user)[
        "ServiceSpecificCredentials"
    ],
)
SSH = Sort(
    Kind.SSH_KEY,
    SSH_KEYS,
    word="ssh_public_key",
    id_name="SSHPublicKeyId",
    made=lambda stage, user: stage.iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=public_key(1))[
        "SSHPublicKey"
    ]["SSHPublicKeyId"],
    listed=lambda stage, user: stage.iam.list_ssh_public_keys(UserName=user)["SSHPublicKeys"],
)
CERTIFICATES = Sort(
    Kind.SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATES,
    word="signing_certificate",
    id_name="CertificateId",
    made=lambda stage, user: stage.iam.upload_signing_certificate(
        UserName=user, CertificateBody=certificate(1)
    )["Certificate"]["CertificateId"],
    listed=lambda stage, user: stage.iam.list_signing_certificates(UserName=user)["Certificates"],
)
