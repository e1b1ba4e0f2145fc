"""The operations on the credentials of users."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.access_key import (
    ActivateAccessKey,
    CreateAccessKey,
    DeactivateAccessKey,
    DeleteAccessKey,
)
from iam.changes.operations.base import Operation
from iam.changes.operations.console_password import CreateLoginProfile, UpdateLoginProfile
from iam.changes.operations.login_profile import DeleteLoginProfile, RequirePasswordChange
from iam.changes.operations.mfa_device import (
    DeactivateMfaDevice,
    DeleteMfaDevice,
    EnableMfaDevice,
    ResyncMfaDevice,
)
from iam.changes.operations.service_credential import (
    ActivateServiceCredential,
    CreateServiceCredential,
    DeactivateServiceCredential,
    DeleteServiceCredential,
    ResetServiceCredential,
)
from iam.changes.operations.signing_certificate import (
    ActivateCertificate,
    DeactivateCertificate,
    DeleteCertificate,
    UploadCertificate,
)
from iam.changes.operations.spare_mfa_device import DeleteSpareMfaDevice
from iam.changes.operations.ssh_key import ActivateSshKey, DeactivateSshKey, DeleteSshKey, UploadSshKey
from iam.changes.operations.virtual_mfa_device import CreateVirtualMfaDevice

CREDENTIALS: Final[tuple[type[Operation], ...]] = (
    CreateAccessKey, DeactivateAccessKey, ActivateAccessKey, DeleteAccessKey,
    CreateLoginProfile, UpdateLoginProfile, RequirePasswordChange, DeleteLoginProfile,
    CreateVirtualMfaDevice, EnableMfaDevice, ResyncMfaDevice, DeactivateMfaDevice, DeleteMfaDevice, DeleteSpareMfaDevice,
    CreateServiceCredential, ResetServiceCredential, DeactivateServiceCredential, ActivateServiceCredential,
    DeleteServiceCredential,
    UploadSshKey, DeactivateSshKey, ActivateSshKey, DeleteSshKey,
    UploadCertificate, DeactivateCertificate, ActivateCertificate, DeleteCertificate,
)  # fmt: skip
