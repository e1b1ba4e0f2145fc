"""Enable an MFA device for a user, resync it, deactivate it, or delete a virtual one.

The two consecutive codes of a device are valid for a minute: they are sealed for the worker and sent only
once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.identity import find_current_entity
from iam.changes.operations.params import IdText
from iam.changes.operations.sealed_secret import accepted, sealed_text, used
from iam.changes.operations.spec import HIGH, PermanentLoss, Quota
from iam.changes.operations.user_credential import (
    MFA_DEVICE,
    CredentialParams,
    CredentialSpec,
    OfUser,
    OnCredential,
    UserParams,
    owned,
)
from iam.changes.risks import MFA_REMOVED
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh.credentials import ReadCredentials, device_exists, is_virtual
from iam.sealed import services as sealed

DEVICES_PER_USER: Final = 8
CODES: Final = "mfa_device.codes"
CODES_HOLD: Final = timedelta(seconds=60)
ASSIGNED: Final = "assigned"
SPARE: Final = "spare"
ABSENT: Final = ""
_GONE: Final = (
    "The two codes are older than a minute, so AWS won’t accept them. Enter two new codes in a new request."
)


def seal_codes(first: str, second: str, *, sealed_id: UUID, account_id: str) -> UUID:
    """Seal the two codes for the worker, for one minute. Raises ValueError unless both have six digits."""
    codes = [code.replace(" ", "") for code in (first, second)]
    if not all(len(code) == 6 and code.isascii() and code.isdigit() for code in codes):
        raise ValueError("A code has 6 digits.")
    return sealed.seal(
        " ".join(codes),
        for_person=None,
        purpose=CODES,
        label="two codes of an MFA device",
        account_id=account_id,
        ttl=CODES_HOLD,
        secret_id=sealed_id,
        is_held=True,
    )


class OfDevice(OfUser):
    """An operation on a device. A virtual device can exist without belonging to a user."""

    @property
    @abstractmethod
    def serial(self) -> str:
        """The serial number; for a virtual device, its ARN."""

    def device(self) -> Entity | None:
        """The mirror's row of the device, of any user."""
        return find_current_entity(self.account, kind=Kind.MFA_DEVICE, aws_id=self.serial)

    def observe(self, aws: Aws) -> Image:
        """One call, and one more if the device is virtual and the user doesn't have it."""
        image = super().observe(aws)
        if (
            image["status"] == ABSENT
            and is_virtual(self.serial)
            and device_exists(aws, serial_number=self.serial)
        ):
            assert self._read is not None
            self._read = replace(self._read, spare=(self.serial,))
            return {"status": SPARE}
        return image

    def image_now(self, read: ReadCredentials) -> Image:
        serials = {record.serial_number for record in read.records}
        return {"status": ASSIGNED if self.serial in serials else ABSENT}


class OnDevice(OfDevice, OnCredential):
    """An operation on a user's device, which is identified by `credential_id`."""

    @property
    def serial(self) -> str:
        return self.inputs.credential_id

    @property
    def label(self) -> str:
        return f"MFA device {self.serial.rpartition('/')[2]}"

    def image_of(self, subject: Entity) -> Image | None:
        if self.serial in owned(subject, self.kind):
            return {"status": ASSIGNED}
        device = self.device()
        is_spare = device is not None and device.owner_id is None
        return {"status": SPARE if is_spare else ABSENT}


class DeactivateMfaDevice(OnDevice):
    spec = CredentialSpec(
        slug="mfa_device.deactivate",
        sort=MFA_DEVICE,
        title="Deactivate {label} of {user_name}",
        no_op="{user_name} doesn’t have this device.",
        counted=("Deactivate", "MFA device"),
        call="DeactivateMFADevice",
        parameters={"UserName": "user_name", "SerialNumber": "credential_id"},
        sentence="{user_name} no longer has the {label}",
        weight=HIGH,
        # Users without another device may be locked out of everything that requires MFA.
        risks=(MFA_REMOVED,),
        loss=PermanentLoss(
            "Deactivate an MFA device",
            "AWS accepts the device again only with two consecutive codes from it.",
            "Ask them to add a second device first. A user can have 8.",
        ),
    )

    @property
    def status_after(self) -> str:
        """A virtual device still exists after it was deactivated."""
        return SPARE if is_virtual(self.serial) else ABSENT

    def satisfied(self, image: Image) -> bool:
        return bool(image["status"] != ASSIGNED)

    def notes(self) -> tuple[str, ...]:
        user = self.subject()
        others = len(set(owned(user, self.kind)) - {self.serial}) if user else 0
        if others:
            return (f"{self.inputs.user_name} keeps {others} other MFA device{'s' if others > 1 else ''}.",)
        return (
            f"{self.inputs.user_name} will have no MFA: the password alone is enough to sign in, "
            "and requests that require MFA are denied.",
        )


class DeleteMfaDevice(DeactivateMfaDevice):
    spec = replace(
        DeactivateMfaDevice.spec,
        slug="mfa_device.delete",
        family="virtual-mfa-device",
        title="Delete {label} of {user_name}",
        no_op="The device no longer exists.",
        counted=("Delete", "MFA device"),
        loss=PermanentLoss(
            "Deactivate and delete a virtual MFA device",
            "AWS can’t restore the seed of a deleted device. A new one has to be set up on the phone.",
            "Deactivate it without deleting it: its owner can enable it again with two codes.",
        ),
    )

    status_after = ABSENT

    def satisfied(self, image: Image) -> bool:
        return bool(image["status"] == ABSENT)

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True also if the device was deactivated in the meantime."""
        return image == before or image["status"] == SPARE

    def is_done(self, call: AwsCall, *, image: Image) -> bool:
        return call.operation == "DeactivateMFADevice" and image["status"] == SPARE

    def calls(self) -> tuple[AwsCall, ...]:
        return (
            *super().calls(),
            AwsCall(
                service="iam",
                operation="DeleteVirtualMFADevice",
                params={"SerialNumber": self.serial},
                sentence=f"Permanently deletes the {self.label}",
            ),
        )

    def refusal(self) -> str:
        if not is_virtual(self.serial):
            return "Only virtual devices can be deleted. Deactivate this one instead."
        return ""


class CodesParams(CredentialParams):
    """The seal of the two codes."""

    sealed_id: IdText


class WithCodes(OnDevice):
    """Sends two consecutive codes of a device."""

    shown_code = "000000"
    inputs: CodesParams

    @classmethod
    def of_user(cls, device: Entity, *, user: Entity, sealed_id: UUID) -> Self:
        """Return the operation on a device and a user of the mirror."""
        params = CodesParams(
            **UserParams.names_of(user), credential_id=device.aws_id, sealed_id=str(sealed_id)
        )
        return cls(user.account, params)

    def resolve_params(self, call: AwsCall) -> Mapping[str, Any]:
        first, second = sealed_text(self.inputs.sealed_id, purpose=CODES, gone=_GONE).split()
        return {**call.params, "AuthenticationCode1": first, "AuthenticationCode2": second}

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        used(self.inputs.sealed_id)
        return {}


class EnableMfaDevice(WithCodes):
    spec = CredentialSpec(
        slug="mfa_device.enable",
        sort=MFA_DEVICE,
        status_after=ASSIGNED,
        title="Enable {label} for {user_name}",
        no_op="{user_name} already has this device.",
        counted=("Assign", "MFA device"),
        call="EnableMFADevice",
        parameters={
            "UserName": "user_name",
            "SerialNumber": "credential_id",
            "AuthenticationCode1": "shown_code",
            "AuthenticationCode2": "shown_code",
        },
        sentence="{user_name} enables the device, with two codes from it",
        quota=Quota(
            "MFA devices afterwards",
            "{user_name} has {used} MFA devices, and AWS allows {limit}. Remove one first.",
            usual=DEVICES_PER_USER,
        ),
        is_idempotent=False,
    )
    initial = {"status": SPARE}

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """True unless the device is assigned. The mirror may not know a device that was just created."""
        return bool(image["status"] != ASSIGNED)

    def restoration(self, before: Image) -> Operation | None:
        return self.beside("mfa_device.deactivate", credential_id=self.serial)


class ResyncMfaDevice(WithCodes):
    """Resyncs a device whose clock has drifted."""

    spec = replace(
        EnableMfaDevice.spec,
        slug="mfa_device.resync",
        title="Resync {label} of {user_name}",
        no_op="It is already resynced.",
        counted=("Resync", "MFA device"),
        call="ResyncMFADevice",
        sentence="{user_name} resyncs the device with two codes from it",
        quota=None,
        loss=PermanentLoss(
            "Resync an MFA device",
            "AWS doesn’t keep the previous clock of a device, so there is nothing to restore.",
            "Nothing is lost: the device keeps working.",
        ),
    )

    def satisfied(self, image: Image) -> bool:
        """AWS shows no difference; the seal tells whether AWS has accepted the codes."""
        return image["status"] == ASSIGNED and accepted(self.inputs.sealed_id) is not None
