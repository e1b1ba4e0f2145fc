"""Upload an X.509 signing certificate of a user; make one inactive, active again, or delete it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSigningCertificate.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSigningCertificate.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteSigningCertificate.html
"""

from __future__ import annotations

from cryptography.x509 import Certificate, load_pem_x509_certificate

from iam.aws.reads import details
from iam.aws.session import Aws
from iam.changes.operations.credential_sorts import SIGNING_CERTIFICATE, CredentialSpec
from iam.changes.operations.public_key_upload import TextUpload
from iam.mirror.models import Kind


class UploadCertificate(TextUpload):
    """Uploads a certificate."""

    spec = CredentialSpec(
        slug="signing_certificate.upload",
        sort=SIGNING_CERTIFICATE,
        family="signing-certificate",
        subject_kind=Kind.USER.value,
        title="Upload a signing certificate for {user_name}",
        no_op="{user_name} already has it.",
        counted=("Upload", "signing certificate"),
        call="UploadSigningCertificate",
        parameters={"UserName": "user_name", "CertificateBody": "body"},
        sentence="Anyone who has the private key can sign requests to some older services as {user_name}",
        is_idempotent=False,
    )

    per_user = 2
    quota_name = "SigningCertificatesPerUserQuota"

    def is_this(self, aws: Aws, credential_id: str) -> bool:
        texts = details.certificate_texts(aws, user_name=self.inputs.user_name)
        shown, own = read(texts.get(credential_id, "")), read(self.inputs.body)
        return shown is not None and shown == own

    def problems(self) -> list[str]:
        """AWS's model knows nothing of certificates."""
        if "PRIVATE KEY" in self.inputs.body:
            return ["This contains a private key. Keep it secret, and paste only the certificate."]
        if read(self.inputs.body) is None:
            return [
                "This isn’t an X.509 certificate in PEM format, which begins with -----BEGIN "
                "CERTIFICATE-----."
            ]
        return super().problems()


def read(text: str) -> Certificate | None:
    """The certificate; None for what is none."""
    try:
        return load_pem_x509_certificate(text.strip().encode())
    except ValueError:
        return None
