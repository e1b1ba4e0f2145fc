"""Upload the public half of a key pair for a user: an SSH key for CodeCommit, or a signing certificate.

AWS makes a credential with an id of a public text.
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
    """The text, and the ids of the credentials of the kind that are there already, with blanks between."""

    body: str
    known: Blank


def upload_quota(sort: CredentialSort, *, usual: int, name: str = "") -> Quota:
    """How many of a sort a user may have."""
    return Quota(
        f"{sort.noun} count afterwards",
        "{user_name} has {used} of them, and AWS allows {limit}. Delete an unused one first.",
        usual=usual,
        name=name,
    )


class TextUpload(NewCredential):
    """Uploads a text. It is sent once: what AWS shows of a new credential tells whether it is this text."""

    initial = {"ids": [], "is_there": False}
    inputs: TextUploadParams

    @classmethod
    def of(cls, user: Entity, *, body: str) -> Self:
        # Browsers send lines with two characters at their end.
        return super().of(user, body=body.replace("\r\n", "\n").strip())

    def desired_state(self) -> Image:
        """AWS assigns the id."""
        return {"ids": self.inputs.known.split(), "more": 1, "is_there": True}

    def satisfied(self, image: Image) -> bool:
        return bool(image["is_there"])

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        return bool(image["ids"] == before["ids"])

    def image_of(self, subject: Entity) -> Image:
        """The mirror keeps no such texts, so one more credential than at the planning counts as this."""
        ids = self.ids_in_mirror(subject)
        return {"ids": ids, "is_there": bool(self._new(ids))}

    def observe(self, aws: Aws) -> Image:
        """One call, and at most one for each credential that is new since the planning."""
        image = super().observe(aws)
        image["is_there"] = any(self.is_this(aws, credential_id) for credential_id in self._new(image["ids"]))
        return image

    @abstractmethod
    def is_this(self, aws: Aws, credential_id: str) -> bool:
        """Whether a credential is of this text. Raises AwsError."""

    def _new(self, ids: list[str]) -> list[str]:
        return [credential_id for credential_id in ids if credential_id not in self.inputs.known.split()]

    def inverse(self, before: Image) -> Operation | None:
        user = self.subject()
        new = self._new(self.ids_in_mirror(user)) if user else []
        return self.deletion(new[0]) if len(new) == 1 else None


BITS = 2048
"""The shortest RSA key that AWS takes."""


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
    """The key in either form. Raises ValueError or UnsupportedAlgorithm for what is none."""
    data = text.encode()
    return load_pem_public_key(data) if data.startswith(b"-----") else load_ssh_public_key(data)


def normalized_key(text: str) -> bytes:
    """A key in one form, whatever its form, comment and line ends; the text itself for what cannot be
    read."""
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
    """The certificate; None for what is none."""
    try:
        return load_pem_x509_certificate(text.strip().encode())
    except ValueError:
        return None
