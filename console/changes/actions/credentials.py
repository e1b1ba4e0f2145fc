"""Questions to answer before an action on credentials can be previewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from console.changes.actions.fields import HIDDEN, LONG, ActField
from iam.changes.operations.one_time_credential import SERVICES, CreateServiceCredential
from iam.changes.operations.public_key import UploadCertificate, UploadSshKey


@dataclass(frozen=True, slots=True)
class CredentialQuestions:
    """The title of an action, its fields and its choices."""

    title: str = ""
    fields: tuple[ActField, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()


SERVICE: Final = ActField("service", "Service", HIDDEN, is_needed=False)
PUBLIC_KEY: Final = ActField(
    "body",
    "Public key",
    LONG,
    "The line of a file such as ~/.ssh/id_rsa.pub. Never the private key.",
    is_checked_later=True,
)
CERTIFICATE: Final = ActField(
    "body",
    "Certificate",
    LONG,
    "In PEM form, with the lines BEGIN CERTIFICATE and END CERTIFICATE. Never the private key.",
    is_checked_later=True,
)
CREDENTIAL_QUESTIONS: Final = {
    CreateServiceCredential.spec.slug: CredentialQuestions(
        "Create a service-specific credential",
        (SERVICE,),
        tuple(SERVICES.items()),
    ),
    UploadSshKey.spec.slug: CredentialQuestions("Upload an SSH key", (PUBLIC_KEY,)),
    UploadCertificate.spec.slug: CredentialQuestions("Upload a signing certificate", (CERTIFICATE,)),
}
"""Questions by act slug; an act without an entry asks nothing."""
