"""What has to be filled in before an action on credentials can be previewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.changes.operations.service_credential import SERVICES, CreateServiceCredential
from iam.changes.operations.signing_certificate import UploadCertificate
from iam.changes.operations.ssh_key import UploadSshKey


@dataclass(frozen=True, slots=True)
class CredentialQuestions:
    """The title of an action, its fields, and what can be chosen."""

    title: str
    names: tuple[str, ...]
    choices: tuple[tuple[str, str], ...] = ()


CREDENTIAL_QUESTIONS: Final = {
    CreateServiceCredential.spec.slug: CredentialQuestions(
        "Create a service-specific credential", ("service",), tuple(SERVICES.items())
    ),
    UploadSshKey.spec.slug: CredentialQuestions("Upload an SSH key", ("body",)),
    UploadCertificate.spec.slug: CredentialQuestions("Upload a signing certificate", ("body",)),
}
"""By the slug of the act; an act that is not here asks nothing."""
