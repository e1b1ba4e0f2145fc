"""What has to be filled in before an action on credentials can be previewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from console.changes.actions.fields import LONG, Field
from iam.changes.operations.service_credential import SERVICES, CreateServiceCredential
from iam.changes.operations.signing_certificate import UploadCertificate
from iam.changes.operations.ssh_key import UploadSshKey


@dataclass(frozen=True, slots=True)
class CredentialQuestions:
    """The title of an action, its fields, and what can be chosen."""

    title: str = ""
    fields: tuple[Field, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> list[str]:
        """What has to be filled in."""
        return [field.name for field in self.fields]


SERVICE: Final = Field("service", "Service", is_needed=False)
BODY: Final = Field("body", "Public text", LONG, is_needed=False)
"""The operation says which of them is missing."""
CREDENTIAL_QUESTIONS: Final = {
    CreateServiceCredential.spec.slug: CredentialQuestions(
        "Create a service-specific credential",
        (Field("service", "Service", is_needed=False),),
        tuple(SERVICES.items()),
    ),
    UploadSshKey.spec.slug: CredentialQuestions("Upload an SSH key", (BODY,)),
    UploadCertificate.spec.slug: CredentialQuestions("Upload a signing certificate", (BODY,)),
}
"""By the slug of the act; an act that is not here asks nothing."""
