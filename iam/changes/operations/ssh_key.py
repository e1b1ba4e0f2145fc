"""Upload the SSH public key of a user for CodeCommit; make one inactive, active again, or delete it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSSHPublicKey.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSSHPublicKey.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteSSHPublicKey.html
"""

from __future__ import annotations

from typing import ClassVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
    load_ssh_public_key,
)

from iam.aws.reads import details
from iam.aws.session import Aws
from iam.changes.operations.spec import Loss, OperationSpec
from iam.changes.operations.uploaded import Upload
from iam.changes.operations.user_credential import (
    ACTIVE,
    INACTIVE,
    DeleteCredential,
    OnCredential,
    SetStatus,
)
from iam.mirror.models import Kind
from iam.mirror.pull.sections import SSH_KEYS

BITS = 2048
"""The shortest RSA key that AWS takes."""


class OnSshKey(OnCredential):
    """What all share that are about a key that is there."""

    section = SSH_KEYS
    kind = Kind.SSH_KEY
    noun = "SSH key"
    word = "SSHPublicKey"
    id_parameter = "SSHPublicKeyId"
    id_field = "key_id"


class DeactivateSshKey(OnSshKey, SetStatus):
    """Makes a key inactive."""

    spec = OperationSpec(
        slug="ssh_key.deactivate",
        family="ssh-key",
        subject_kind=Kind.USER.value,
        title="",
        no_op="",
        counted=("Deactivate", "SSH key"),
    )

    status_after = INACTIVE


class ActivateSshKey(OnSshKey, SetStatus):
    """Makes a key active."""

    spec = OperationSpec(
        slug="ssh_key.activate",
        family="ssh-key",
        subject_kind=Kind.USER.value,
        title="",
        no_op="",
        counted=("Activate", "SSH key"),
    )

    status_after = ACTIVE
    other: ClassVar[type[SetStatus]] = DeactivateSshKey


DeactivateSshKey.other = ActivateSshKey


class DeleteSshKey(OnSshKey, DeleteCredential):
    """Deletes a key."""

    spec = OperationSpec(
        slug="ssh_key.delete",
        family="ssh-key",
        subject_kind=Kind.USER.value,
        title="Delete {label} of {user_name}",
        no_op="The {label} no longer exists.",
        counted=("Delete", "SSH key"),
        notes=("Applications that use this SSH key stop working.",),
        call="DeleteSSHPublicKey",
        parameters={"UserName": "user_name", "SSHPublicKeyId": "credential_id"},
        sentence="Permanently deletes the {label}",
        loss=Loss(
            "Delete an SSH public key",
            "Gatehouse doesn’t keep the key. Its owner can upload it again, with a new ID.",
            "Deactivate it instead: it stops working immediately and can be reactivated.",
        ),
    )


class UploadSshKey(Upload):
    """Uploads a key."""

    spec = OperationSpec(
        slug="ssh_key.upload",
        family="ssh-key",
        subject_kind=Kind.USER.value,
        title="Upload an SSH key for {user_name}",
        no_op="{user_name} already has it.",
        counted=("Upload", "SSH key"),
        notes=(
            ("Anyone who has the private key can use git in CodeCommit with the permissions of {user_name}."),
        ),
        call="UploadSSHPublicKey",
        parameters={"UserName": "user_name", "SSHPublicKeyBody": "body"},
        sentence="Anyone who has the private key can use git in CodeCommit as {user_name}",
        is_idempotent=False,
    )

    section = SSH_KEYS
    kind = Kind.SSH_KEY
    noun = "an SSH key"
    id_field = "key_id"
    per_user = 5
    quota_name = ""
    way_back = DeleteSshKey

    def is_this(self, aws: Aws, credential_id: str) -> bool:
        text = details.ssh_key_text(aws, user_name=self.given.user_name, key_id=credential_id)
        return plain(text) == plain(self.given.body)

    def problems(self) -> list[str]:
        """AWS's model knows nothing of keys."""
        if "PRIVATE" in self.given.body:
            return [
                "This is a private key. Keep it secret, and paste the public key, which begins with ssh-rsa."
            ]
        try:
            key = read(self.given.body)
        except (ValueError, UnsupportedAlgorithm):
            return [
                "This isn’t a public key. Paste the line that begins with ssh-rsa, or the public key in PEM format."
            ]
        if not isinstance(key, RSAPublicKey):
            return ["AWS accepts only RSA keys. Create one with: ssh-keygen -t rsa -b 4096"]
        if key.key_size < BITS:
            return [f"The key has {key.key_size} bits. AWS requires at least {BITS}."]
        return super().problems()


def read(text: str) -> object:
    """The key in either form. Raises ValueError or UnsupportedAlgorithm for what is none."""
    data = text.encode()
    return load_pem_public_key(data) if data.startswith(b"-----") else load_ssh_public_key(data)


def plain(text: str) -> bytes:
    """A key in one form, whatever its form, comment and line ends; the text itself for what cannot be read."""
    try:
        key = read(text.strip())
    except (ValueError, UnsupportedAlgorithm):
        return text.strip().encode()
    assert isinstance(key, RSAPublicKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
