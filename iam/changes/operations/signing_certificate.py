"""Upload an X.509 signing certificate of a user; make one inactive, active again, or delete it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSigningCertificate.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSigningCertificate.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteSigningCertificate.html
"""

from __future__ import annotations

from typing import ClassVar

from cryptography.x509 import Certificate, load_pem_x509_certificate

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
from iam.mirror.pull.sections import SIGNING_CERTIFICATES


class OnCertificate(OnCredential):
    """What all share that are about a certificate that is there."""

    section = SIGNING_CERTIFICATES
    kind = Kind.SIGNING_CERTIFICATE
    noun = "signing certificate"
    word = "SigningCertificate"
    id_parameter = "CertificateId"
    id_field = "certificate_id"


class DeactivateCertificate(OnCertificate, SetStatus):
    """Makes a certificate inactive."""

    spec = OperationSpec(
        slug="signing_certificate.deactivate",
        family="signing-certificate",
        subject_kind=Kind.USER.value,
        title="",
        no_op="",
        counted=("Deactivate", "signing certificate"),
    )

    status_after = INACTIVE


class ActivateCertificate(OnCertificate, SetStatus):
    """Makes a certificate active."""

    spec = OperationSpec(
        slug="signing_certificate.activate",
        family="signing-certificate",
        subject_kind=Kind.USER.value,
        title="",
        no_op="",
        counted=("Activate", "signing certificate"),
    )

    status_after = ACTIVE
    other: ClassVar[type[SetStatus]] = DeactivateCertificate


DeactivateCertificate.other = ActivateCertificate


class DeleteCertificate(OnCertificate, DeleteCredential):
    """Deletes a certificate."""

    spec = OperationSpec(
        slug="signing_certificate.delete",
        family="signing-certificate",
        subject_kind=Kind.USER.value,
        title="Delete {label} of {user_name}",
        no_op="The {label} no longer exists.",
        counted=("Delete", "signing certificate"),
        notes=("Applications that use this signing certificate stop working.",),
        call="DeleteSigningCertificate",
        parameters={"UserName": "user_name", "CertificateId": "credential_id"},
        sentence="Permanently deletes the {label}",
        loss=Loss(
            "Delete a signing certificate",
            "Gatehouse doesn’t keep the certificate. Its owner can upload it again, with a new ID.",
            "Deactivate it instead: it stops working immediately and can be reactivated.",
        ),
    )


class UploadCertificate(Upload):
    """Uploads a certificate."""

    spec = OperationSpec(
        slug="signing_certificate.upload",
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

    section = SIGNING_CERTIFICATES
    kind = Kind.SIGNING_CERTIFICATE
    noun = "a signing certificate"
    id_field = "certificate_id"
    per_user = 2
    quota_name = "SigningCertificatesPerUserQuota"
    way_back = DeleteCertificate

    def is_this(self, aws: Aws, credential_id: str) -> bool:
        texts = details.certificate_texts(aws, user_name=self.given.user_name)
        shown, own = read(texts.get(credential_id, "")), read(self.given.body)
        return shown is not None and shown == own

    def problems(self) -> list[str]:
        """AWS's model knows nothing of certificates."""
        if "PRIVATE KEY" in self.given.body:
            return ["This contains a private key. Keep it secret, and paste only the certificate."]
        if read(self.given.body) is None:
            return [
                "This isn’t an X.509 certificate in PEM format, which begins with -----BEGIN CERTIFICATE-----."
            ]
        return super().problems()


def read(text: str) -> Certificate | None:
    """The certificate; None for what is none."""
    try:
        return load_pem_x509_certificate(text.strip().encode())
    except ValueError:
        return None
