"""The operations on the credentials of users."""

from __future__ import annotations

from typing import Final

from iam.changes.operations.access_key import CreateAccessKey
from iam.changes.operations.base import Operation
from iam.changes.operations.console_password import CreateLoginProfile, UpdateLoginProfile
from iam.changes.operations.credential_status import DeleteCredential, SetStatus
from iam.changes.operations.login_profile import DeleteLoginProfile, RequirePasswordChange
from iam.changes.operations.mfa_device import (
    DeactivateMfaDevice,
    DeleteMfaDevice,
    EnableMfaDevice,
    ResyncMfaDevice,
)
from iam.changes.operations.service_credential import (
    CreateServiceCredential,
    ResetServiceCredential,
)
from iam.changes.operations.signing_certificate import (
    UploadCertificate,
)
from iam.changes.operations.spare_mfa_device import DeleteSpareMfaDevice
from iam.changes.operations.ssh_key import UploadSshKey
from iam.changes.operations.virtual_mfa_device import CreateVirtualMfaDevice

CREDENTIALS: Final[tuple[type[Operation], ...]] = (
    CreateAccessKey, SetStatus, DeleteCredential,
    CreateLoginProfile, UpdateLoginProfile, RequirePasswordChange, DeleteLoginProfile,
    CreateVirtualMfaDevice, EnableMfaDevice, ResyncMfaDevice, DeactivateMfaDevice, DeleteMfaDevice, DeleteSpareMfaDevice,
    CreateServiceCredential, ResetServiceCredential, UploadSshKey, UploadCertificate,
)  # fmt: skip
