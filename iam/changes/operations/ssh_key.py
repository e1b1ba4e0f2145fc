"""Upload the SSH public key of a user for CodeCommit; make one inactive, active again, or delete it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSSHPublicKey.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSSHPublicKey.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteSSHPublicKey.html
"""

from __future__ import annotations

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
from iam.changes.operations.credential_sorts import SSH_KEY, CredentialSpec
from iam.changes.operations.public_key_upload import TextUpload
from iam.mirror.models import Kind

BITS = 2048
"""The shortest RSA key that AWS takes."""


class UploadSshKey(TextUpload):
    """Uploads a key."""

    spec = CredentialSpec(
        slug="ssh_key.upload",
        sort=SSH_KEY,
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

    per_user = 5
    quota_name = ""

    def is_this(self, aws: Aws, credential_id: str) -> bool:
        text = details.ssh_key_text(aws, user_name=self.inputs.user_name, key_id=credential_id)
        return plain(text) == plain(self.inputs.body)

    def problems(self) -> list[str]:
        """AWS's model knows nothing of keys."""
        if "PRIVATE" in self.inputs.body:
            return [
                "This is a private key. Keep it secret, and paste the public key, which begins with ssh-rsa."
            ]
        try:
            key = read(self.inputs.body)
        except (ValueError, UnsupportedAlgorithm):
            return [
                "This isn’t a public key. Paste the line that begins with ssh-rsa, or the "
                "public key in PEM format."
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
    """A key in one form, whatever its form, comment and line ends; the text itself for what cannot be
    read."""
    try:
        key = read(text.strip())
    except (ValueError, UnsupportedAlgorithm):
        return text.strip().encode()
    assert isinstance(key, RSAPublicKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
