"""Defines what can be requested about a user's credentials: the operation of each act, and its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.operations.login_profile import (
    CreateLoginProfile,
    DeleteLoginProfile,
    RequirePasswordChange,
    UpdateLoginProfile,
)
from iam.changes.operations.mfa_device import DeactivateMfaDevice, DeleteMfaDevice
from iam.changes.operations.one_time_credential import (
    SERVICES,
    CreateAccessKey,
    CreateServiceCredential,
    ResetServiceCredential,
)
from iam.changes.operations.params import Recipient
from iam.changes.operations.public_key import (
    UploadCertificate,
    UploadSshKey,
)
from iam.changes.operations.user_credential import DeleteCredential, SetStatus
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh.credentials import is_virtual


@dataclass(frozen=True, slots=True)
class CredentialActRequest:
    """The input of an act: user, optional credential, the reader and seal of a secret, and the form
    values.
    """

    user: Entity
    credential: Entity | None
    recipient: Recipient
    sealed_id: UUID
    fields: Mapping[str, str]


_ON_ONE: Final[dict[str, tuple[Kind, Callable[[Entity], Operation]]]] = {
    **{spec.slug: (spec.sort.kind, partial(SetStatus.of, spec)) for spec in SetStatus.SPECS},
    **{spec.slug: (spec.sort.kind, DeleteCredential.of) for spec in DeleteCredential.SPECS},
    DeactivateMfaDevice.spec.slug: (Kind.MFA_DEVICE, DeactivateMfaDevice.of),
    DeleteMfaDevice.spec.slug: (Kind.MFA_DEVICE, DeleteMfaDevice.of),
}
"""Acts on one existing credential."""


def _reset(asked: CredentialActRequest) -> Operation:
    assert asked.credential is not None
    return ResetServiceCredential.of(asked.credential, recipient=asked.recipient, sealed_id=asked.sealed_id)


def _service(asked: CredentialActRequest) -> Operation:
    service = asked.fields.get("service", "")
    if service not in SERVICES:
        raise RefusedError("Choose a service.")
    return CreateServiceCredential.of(
        asked.user, service=service, recipient=asked.recipient, sealed_id=asked.sealed_id
    )


_BODY: Final = {
    UploadSshKey.spec.slug: "Paste the public key.",
    UploadCertificate.spec.slug: "Paste the certificate.",
}


def _upload(
    operation: type[UploadSshKey] | type[UploadCertificate],
) -> Callable[[CredentialActRequest], Operation]:
    def make(asked: CredentialActRequest) -> Operation:
        body = asked.fields.get("body", "").strip()
        if not body:
            raise RefusedError(_BODY[operation.spec.slug])
        return operation.of(asked.user, body=body)

    return make


_OF_USER: Final[dict[str, Callable[[CredentialActRequest], Operation]]] = {
    CreateAccessKey.spec.slug: lambda asked: CreateAccessKey.of(
        asked.user, recipient=asked.recipient, sealed_id=asked.sealed_id
    ),
    CreateLoginProfile.spec.slug: lambda asked: CreateLoginProfile.of(
        asked.user, recipient=asked.recipient, sealed_id=asked.sealed_id
    ),
    UpdateLoginProfile.spec.slug: lambda asked: UpdateLoginProfile.of(
        asked.user, recipient=asked.recipient, sealed_id=asked.sealed_id
    ),
    RequirePasswordChange.spec.slug: lambda asked: RequirePasswordChange.of(asked.user, must_change=True),
    DeleteLoginProfile.spec.slug: lambda asked: DeleteLoginProfile.of(asked.user),
    CreateServiceCredential.spec.slug: _service,
    UploadSshKey.spec.slug: _upload(UploadSshKey),
    UploadCertificate.spec.slug: _upload(UploadCertificate),
}
"""Acts on credentials that a user has once, or that create one."""


def kind_of(act: str) -> Kind | None:
    """The credential kind of an act; None for an act on a user. Raises KeyError for an unknown act."""
    if act == ResetServiceCredential.spec.slug:
        return Kind.SERVICE_CREDENTIAL
    if act in _ON_ONE:
        return _ON_ONE[act][0]
    if act in _OF_USER:
        return None
    raise KeyError(act)


def operation_of(act: str, asked: CredentialActRequest) -> Operation:
    """The requested operation. Raises RefusedError if an answer is missing."""
    if act == ResetServiceCredential.spec.slug:
        return _reset(asked)
    if act in _OF_USER:
        return _OF_USER[act](asked)
    assert asked.credential is not None
    return _ON_ONE[act][1](asked.credential)


def acts_on(kind: str, *, status: str, aws_id: str) -> tuple[str, ...]:
    """The possible acts on an existing credential, reversible ones first."""
    slug = _SLUGS.get(kind, "")
    if kind == Kind.MFA_DEVICE:
        return ("mfa_device.deactivate", *(("mfa_device.delete",) if is_virtual(aws_id) else ()))
    if not slug:
        return ()
    resets = (ResetServiceCredential.spec.slug,) if kind == Kind.SERVICE_CREDENTIAL else ()
    if status == "Inactive":
        return (f"{slug}.activate", *resets, f"{slug}.delete")
    return (f"{slug}.deactivate", *resets)


_SLUGS: Final[dict[str, str]] = {
    Kind.ACCESS_KEY: "access_key",
    Kind.SSH_KEY: "ssh_key",
    Kind.SIGNING_CERTIFICATE: "signing_certificate",
    Kind.SERVICE_CREDENTIAL: "service_credential",
}
