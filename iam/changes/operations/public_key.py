"""Upload the public half of a key pair for a user: an SSH key for CodeCommit, or a signing certificate.

AWS creates a credential with its own ID from the uploaded text.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
    load_ssh_public_key,
)
from cryptography.x509 import Certificate, load_pem_x509_certificate

from iam.aws.reads import details
from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.params import Blank
from iam.changes.operations.spec import Quota
from iam.changes.operations.user_credential import (
    SIGNING_CERTIFICATE,
    SSH_KEY,
    CredentialSort,
    CredentialSpec,
    NewCredential,
    UserParams,
)
from iam.mirror.models import Entity


class TextUploadParams(UserParams):
    """The text, and the IDs of the user's existing credentials of this kind, separated by spaces."""

    body: str
    known: Blank


def upload_quota(sort: CredentialSort, *, usual: int, name: str = "") -> Quota:
    """How many credentials of a sort a user may have."""
    return Quota(
        f"{sort.noun} count afterwards",
        "{user_name} has {used} of them, and AWS allows {limit}. Delete an unused one first.",
        usual=usual,
        name=name,
    )


class TextUpload(NewCredential):
    """Uploads a text once. The text of a new credential in AWS tells whether it is this one."""

    initial = {"ids": [], "is_there": False}
    inputs: TextUploadParams

    @classmethod
    def of(cls, user: Entity, *, body: str) -> Self:
        # Browsers send lines that end with CR LF.
        return super().of(user, body=body.replace("\r\n", "\n").strip())

    def desired_state(self) -> Image:
        """One more credential with this text; AWS assigns its ID."""
        return {"ids": self.inputs.known.split(), "more": 1, "is_there": True}

    def satisfied(self, image: Image) -> bool:
        return bool(image["is_there"])

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        return bool(image["ids"] == before["ids"])

    def image_of(self, subject: Entity) -> Image:
        """The mirror doesn't keep these texts, so any credential that is new since planning counts as this
        one.
        """
        ids = self.ids_in_mirror(subject)
        return {"ids": ids, "is_there": bool(self._new(ids))}

    def observe(self, aws: Aws) -> Image:
        """One call, and at most one for each credential that is new since planning."""
        image = super().observe(aws)
        image["is_there"] = any(self.is_this(aws, credential_id) for credential_id in self._new(image["ids"]))
        return image

    @abstractmethod
    def is_this(self, aws: Aws, credential_id: str) -> bool:
        """True if the credential has this text. Raises AwsError."""

    def _new(self, ids: list[str]) -> list[str]:
        return [credential_id for credential_id in ids if credential_id not in self.inputs.known.split()]

    def inverse(self, before: Image) -> Operation | None:
        user = self.subject()
        new = self._new(self.ids_in_mirror(user)) if user else []
        return self.deletion(new[0]) if len(new) == 1 else None


BITS = 2048
"""The minimum size of an RSA key that AWS accepts."""


class UploadSshKey(TextUpload):
    spec = CredentialSpec(
        slug="ssh_key.upload",
        sort=SSH_KEY,
        title="Upload an SSH key for {user_name}",
        no_op="{user_name} already has it.",
        counted=("Upload", "SSH key"),
        notes=(
            ("Anyone who has the private key can use git in CodeCommit with the permissions of {user_name}."),
        ),
        quota=upload_quota(SSH_KEY, usual=5),
        call="UploadSSHPublicKey",
        parameters={"UserName": "user_name", "SSHPublicKeyBody": "body"},
        sentence="Anyone who has the private key can use git in CodeCommit as {user_name}",
        is_idempotent=False,
    )

    def is_this(self, aws: Aws, credential_id: str) -> bool:
        text = details.ssh_key_text(aws, user_name=self.inputs.user_name, key_id=credential_id)
        return normalized_key(text) == normalized_key(self.inputs.body)

    def refusal(self) -> str:
        if "PRIVATE" in self.inputs.body:
            return (
                "This is a private key. Keep it secret, and paste the public key, which begins with ssh-rsa."
            )
        try:
            key = read_key(self.inputs.body)
        except (ValueError, UnsupportedAlgorithm):
            return (
                "This isn’t a public key. Paste the line that begins with ssh-rsa, or the "
                "public key in PEM format."
            )
        if not isinstance(key, RSAPublicKey):
            return "AWS accepts only RSA keys. Create one with: ssh-keygen -t rsa -b 4096"
        if key.key_size < BITS:
            return f"The key has {key.key_size} bits. AWS requires at least {BITS}."
        return ""


def read_key(text: str) -> object:
    """Parse a key in PEM or OpenSSH format. Raises ValueError or UnsupportedAlgorithm if it isn't one."""
    data = text.encode()
    return load_pem_public_key(data) if data.startswith(b"-----") else load_ssh_public_key(data)


def normalized_key(text: str) -> bytes:
    """Convert a key to DER, regardless of its format, comment and line ends; return the text itself if it
    can't be parsed.
    """
    try:
        key = read_key(text.strip())
    except (ValueError, UnsupportedAlgorithm):
        return text.strip().encode()
    assert isinstance(key, RSAPublicKey)
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class UploadCertificate(TextUpload):
    spec = CredentialSpec(
        slug="signing_certificate.upload",
        sort=SIGNING_CERTIFICATE,
        title="Upload a signing certificate for {user_name}",
        no_op="{user_name} already has it.",
        counted=("Upload", "signing certificate"),
        quota=upload_quota(SIGNING_CERTIFICATE, usual=2, name="SigningCertificatesPerUserQuota"),
        call="UploadSigningCertificate",
        parameters={"UserName": "user_name", "CertificateBody": "body"},
        sentence="Anyone who has the private key can sign requests to some older services as {user_name}",
        is_idempotent=False,
    )

    def is_this(self, aws: Aws, credential_id: str) -> bool:
        texts = details.certificate_texts(aws, user_name=self.inputs.user_name)
        shown, own = read_certificate(texts.get(credential_id, "")), read_certificate(self.inputs.body)
        return shown is not None and shown == own

    def refusal(self) -> str:
        if "PRIVATE KEY" in self.inputs.body:
            return "This contains a private key. Keep it secret, and paste only the certificate."
        if read_certificate(self.inputs.body) is None:
            return (
                "This isn’t an X.509 certificate in PEM format, which begins with -----BEGIN "
                "CERTIFICATE-----."
            )
        return ""


def read_certificate(text: str) -> Certificate | None:
    """Parse a certificate; None if it isn't one."""
    try:
        return load_pem_x509_certificate(text.strip().encode())
    except ValueError:
        return None
