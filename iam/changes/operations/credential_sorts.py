"""The sorts of credentials of an IAM user, as AWS's calls, the mirror and people name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.changes.operations.spec import OperationSpec, PermanentLoss
from iam.mirror.models import Kind
from iam.mirror.pull.sections import (
    ACCESS_KEYS,
    SERVICE_CREDENTIALS,
    SIGNING_CERTIFICATES,
    SSH_KEYS,
    USER_MFA,
)

DEACTIVATE_INSTEAD: Final = "Deactivate it instead: it stops working immediately and can be reactivated."


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSort:
    """`section` is what of the mirror is read anew after a change; `id_field` is the field of a record
    that holds its id."""

    kind: Kind
    section: str
    noun: str
    short_noun: str
    """As it is counted in lists."""
    word: str
    """What AWS's calls say for it."""
    id_parameter: str
    id_field: str
    loss: PermanentLoss | None = None
    """What deleting one ends for good."""

    @property
    def slug(self) -> str:
        return self.kind.value.replace("-", "_")


ACCESS_KEY: Final = CredentialSort(
    kind=Kind.ACCESS_KEY,
    section=ACCESS_KEYS,
    noun="access key",
    short_noun="access key",
    word="AccessKey",
    id_parameter="AccessKeyId",
    id_field="key_id",
    loss=PermanentLoss(
        "Delete an access key",
        "AWS can’t restore a deleted access key. A new one has a different ID and secret.",
        DEACTIVATE_INSTEAD,
    ),
)
SSH_KEY: Final = CredentialSort(
    kind=Kind.SSH_KEY,
    section=SSH_KEYS,
    noun="SSH key",
    short_noun="SSH key",
    word="SSHPublicKey",
    id_parameter="SSHPublicKeyId",
    id_field="key_id",
    loss=PermanentLoss(
        "Delete an SSH public key",
        "Gatehouse doesn’t keep the key. Its owner can upload it again, with a new ID.",
        DEACTIVATE_INSTEAD,
    ),
)
SIGNING_CERTIFICATE: Final = CredentialSort(
    kind=Kind.SIGNING_CERTIFICATE,
    section=SIGNING_CERTIFICATES,
    noun="signing certificate",
    short_noun="signing certificate",
    word="SigningCertificate",
    id_parameter="CertificateId",
    id_field="certificate_id",
    loss=PermanentLoss(
        "Delete a signing certificate",
        "Gatehouse doesn’t keep the certificate. Its owner can upload it again, with a new ID.",
        DEACTIVATE_INSTEAD,
    ),
)
SERVICE_CREDENTIAL: Final = CredentialSort(
    kind=Kind.SERVICE_CREDENTIAL,
    section=SERVICE_CREDENTIALS,
    noun="service-specific credential",
    short_noun="service credential",
    word="ServiceSpecificCredential",
    id_parameter="ServiceSpecificCredentialId",
    id_field="credential_id",
    loss=PermanentLoss(
        "Delete a service-specific credential",
        "AWS can’t restore a deleted service-specific credential. A new one has a different ID and password.",
        DEACTIVATE_INSTEAD,
    ),
)
MFA_DEVICE: Final = CredentialSort(
    kind=Kind.MFA_DEVICE,
    section=USER_MFA,
    noun="MFA device",
    short_noun="MFA device",
    word="MFADevice",
    id_parameter="SerialNumber",
    id_field="serial_number",
)
WITH_STATUS: Final = (ACCESS_KEY, SSH_KEY, SIGNING_CERTIFICATE, SERVICE_CREDENTIAL)
"""Those that are active or inactive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSpec(OperationSpec):
    """An operation on one sort of credential; `status_after` is what becomes of the credential, "" for
    gone."""

    subject_kind: str = Kind.USER.value
    sort: CredentialSort
    status_after: str = ""
