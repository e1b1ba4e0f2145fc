"""Make a virtual MFA device for a user: AWS shows its seed once, and it is sealed for one browser of one
person.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateVirtualMFADevice.html
The device belongs to nobody until two codes that it shows have given it to its user (`mfa_device.enable`). A
call of which the answer was lost is never repeated: the seed of what it has made is known to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.mfa_device import ABSENT, ASSIGNED, SPARE
from iam.changes.operations.sealed_secret import accepted, check_ids
from iam.changes.operations.spare_mfa_device import DeleteSpareMfaDevice, SpareParams
from iam.changes.operations.spec import OperationSpec
from iam.changes.operations.user_credential import OfUser, UserParams, names_of
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.pull.sections import USER_MFA
from iam.mirror.refresh.credentials import ReadCredentials, device_exists
from iam.sealed import services as sealed

SEED: Final = "mfa_device.seed"
SEED_HOLDS: Final = timedelta(minutes=15)
NAME: Final = re.compile(r"[\w+=,.@-]{1,226}", re.ASCII)
_BROWSER: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class NewDeviceParams(UserParams):
    """What it is to be called; under which seal its seed goes, for which person, and for which of their
    browsers (a digest)."""

    device_name: str
    sealed_id: str
    reader_id: str
    browser: str

    def __post_init__(self) -> None:
        UserParams.__post_init__(self)
        check_ids(self.sealed_id, self.reader_id)
        if not NAME.fullmatch(self.device_name):
            raise ValueError("A device name can contain only letters, digits and + = , . @ - _")
        if not _BROWSER.fullmatch(self.browser):
            raise ValueError("A seed is for one browser.")


class CreateVirtualMfaDevice(OfUser):
    """Makes it."""

    spec = OperationSpec(
        slug="mfa_device.create_virtual",
        family="virtual-mfa-device",
        subject_kind=Kind.USER.value,
        title="Create virtual MFA device {device_name} for {user_name}",
        no_op="This device already exists.",
        counted=("Create", "virtual MFA device"),
        notes=(
            "The device is unassigned until its owner enters two codes from it.",
            "Only its owner can see the seed, in one browser, for 15 minutes.",
        ),
        call="CreateVirtualMFADevice",
        parameters={"VirtualMFADeviceName": "device_name"},
        sentence="Creates a virtual MFA device. Its seed is sealed for one browser of its owner",
        is_idempotent=False,
    )

    section = USER_MFA
    params_type = NewDeviceParams
    inputs: NewDeviceParams

    @classmethod
    def of(cls, user: Entity, *, device_name: str, sealed_id: UUID, reader_id: UUID, browser: str) -> Self:
        """The operation for a user of the mirror. Raises ValueError for a name that AWS would not take."""
        params = NewDeviceParams(
            **names_of(user),
            device_name=device_name,
            sealed_id=str(sealed_id),
            reader_id=str(reader_id),
            browser=browser,
        )
        return cls(user.account, params)

    @property
    def serial(self) -> str:
        """The serial number, which is an ARN."""
        return serial_of(self.account, self.inputs.device_name)

    def desired_state(self) -> Image:
        return {"status": SPARE}

    def satisfied(self, image: Image) -> bool:
        """The seal tells the device of this change from another of the same name."""
        return image["status"] != ABSENT and accepted(self.inputs.sealed_id) is not None

    def image_of(self, user: Entity) -> Image:
        device = Entity.objects.filter(
            account=self.account, kind=Kind.MFA_DEVICE, aws_id=self.serial, gone_at__isnull=True
        ).first()
        if device is None:
            return {"status": ABSENT}
        return {"status": ASSIGNED if device.owner_id else SPARE}

    def observe(self, aws: Aws) -> Image:
        """Two calls."""
        image = super().observe(aws)
        if image["status"] == ABSENT and device_exists(aws, serial_number=self.serial):
            assert self._read is not None
            self._read = replace(self._read, spare=(self.serial,))
            return {"status": SPARE}
        return image

    def image_now(self, read: ReadCredentials) -> Image:
        serials = {record.serial_number for record in read.records}
        return {"status": ASSIGNED if self.serial in serials else ABSENT}

    def drift_message(self, image: Image, *, before: Image) -> str:
        if image["status"] == ABSENT:
            return ""
        return (
            f"{taken(self.inputs.device_name)} If this change created it, its seed is lost: delete "
            "the device and start again."
        )

    def handle_response(
        self, call: AwsCall, response: Mapping[str, Any], *, change_id: UUID
    ) -> dict[str, Any]:
        """The seed is sealed; the picture of it that AWS gives is not kept."""
        device = response["VirtualMFADevice"]
        seed = device["Base32StringSeed"]
        seed_text = seed.decode() if isinstance(seed, bytes) else str(seed)
        sealed.seal(
            seed_text,
            for_person=UUID(self.inputs.reader_id),
            purpose=SEED,
            label=str(device["SerialNumber"]),
            account_id=self.account.account_id,
            ttl=SEED_HOLDS,
            session=self.inputs.browser,
            secret_id=UUID(self.inputs.sealed_id),
        )
        return {"serial_number": str(device["SerialNumber"])}

    def problems(self) -> list[str]:
        user = self.subject()
        if user is not None and self.image_of(user)["status"] != ABSENT:
            return [taken(self.inputs.device_name)]
        return super().problems()

    def inverse(self, before: Image) -> Operation | None:
        """The device is deleted, as long as nobody has it."""
        if accepted(self.inputs.sealed_id) is None:
            return None
        return DeleteSpareMfaDevice(self.account, SpareParams(self.serial))


def serial_of(account: Account, device_name: str) -> str:
    """The serial number that AWS gives a virtual device of this name."""
    return f"arn:{account.partition}:iam::{account.account_id}:mfa/{device_name}"


def taken(device_name: str) -> str:
    """A sentence for when there is a device of this name."""
    return f"An MFA device named {device_name} already exists in this account. Choose another name."
