"""Create a virtual MFA device for a user, and delete an unassigned one.

AWS shows the seed once, and it is sealed for one browser of one person. The device is unassigned until two of
its codes assign it to its user (`mfa_device.enable`). A call whose response was lost is never repeated: no
one knows the seed of the device that it may have created.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.mfa_device import ABSENT, ASSIGNED, SPARE, OfDevice
from iam.changes.operations.params import IdText, Params
from iam.changes.operations.sealed_secret import accepted
from iam.changes.operations.spec import OperationSpec, PermanentLoss
from iam.changes.operations.user_credential import UserParams
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.pull.sections import USER_MFA
from iam.mirror.refresh.credentials import device_exists, reread_spare_device
from iam.sealed import services as sealed

_NEVER: Final = "AWS can’t restore the seed of a deleted device. A new one has to be set up on the phone."


class SpareParams(Params):
    """The device: its serial number, which is its ARN."""

    NAMES = {"arn": "serial_number", "aws_id": "serial_number"}

    serial_number: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if ":mfa/" not in self.serial_number:
            raise ValueError(f"The serial number of a virtual device is an ARN, not {self.serial_number!r}.")


class DeleteSpareMfaDevice(Operation):
    spec = OperationSpec(
        slug="mfa_device.delete_spare",
        family="virtual-mfa-device",
        title="Delete unassigned MFA device {name}",
        no_op="The device no longer exists.",
        counted=("Delete", "unassigned MFA device"),
        notes=("No one can sign in with it: it isn’t assigned to a user.",),
        state={"exists": False},
        call="DeleteVirtualMFADevice",
        parameters={"SerialNumber": "serial_number"},
        sentence="Permanently deletes MFA device {name}",
        loss=PermanentLoss(
            "Delete an unassigned virtual MFA device",
            _NEVER,
            "Leave it: no one can sign in with an unassigned device.",
        ),
    )

    missing_message = _NEVER
    inputs: SpareParams

    @property
    def name(self) -> str:
        return self.inputs.serial_number.rpartition("/")[2]

    def state_in_mirror(self) -> Image | None:
        return {"exists": self.subject() is not None}

    def observe(self, aws: Aws) -> Image:
        return {"exists": device_exists(aws, serial_number=self.inputs.serial_number)}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        reread_spare_device(self.account, aws, serial_number=self.inputs.serial_number, cause_id=cause_id)

    def refusal(self) -> str:
        device = self.subject()
        if device is not None and device.owner is not None:
            return (
                f"{device.owner.name} has this device. Delete it on their page, which deactivates it first."
            )
        return ""


SEED: Final = "mfa_device.seed"
SEED_HOLDS: Final = timedelta(minutes=15)
NAME: Final = re.compile(r"[\w+=,.@-]{1,226}", re.ASCII)
_BROWSER: Final = re.compile(r"[0-9a-f]{64}")


class NewDeviceParams(UserParams):
    """The name of the device, the seal of its seed, and the person and the browser (a digest) that may read
    it.
    """

    device_name: str
    sealed_id: IdText
    reader_id: IdText
    browser: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not NAME.fullmatch(self.device_name):
            raise ValueError("A device name can contain only letters, digits and + = , . @ - _")
        if not _BROWSER.fullmatch(self.browser):
            raise ValueError("A seed is for one browser.")


class CreateVirtualMfaDevice(OfDevice):
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
        sentence="Creates a virtual MFA device. Only its owner can see its seed, in one browser, for "
        "15 minutes",
        is_idempotent=False,
    )

    section = USER_MFA
    inputs: NewDeviceParams

    @property
    def serial(self) -> str:
        return serial_of(self.account, self.inputs.device_name)

    def desired_state(self) -> Image:
        return {"status": SPARE}

    def satisfied(self, image: Image) -> bool:
        """The seal tells this change's device from another one of the same name."""
        return image["status"] != ABSENT and accepted(self.inputs.sealed_id) is not None

    def image_of(self, subject: Entity) -> Image:
        device = self.device()
        if device is None:
            return {"status": ABSENT}
        return {"status": ASSIGNED if device.owner_id else SPARE}

    def drift_message(self, image: Image, *, before: Image) -> str:
        if image["status"] == ABSENT:
            return ""
        return (
            f"{name_taken_message(self.inputs.device_name)} If this change created it, its seed is lost: "
            "delete the device and start again."
        )

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        """Seal the seed. AWS's QR code of it is not kept."""
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

    def refusal(self) -> str:
        user = self.subject()
        if user is not None and self.image_of(user)["status"] != ABSENT:
            return name_taken_message(self.inputs.device_name)
        return ""

    def inverse(self, before: Image) -> Operation | None:
        """Delete the device, as long as it is unassigned."""
        if accepted(self.inputs.sealed_id) is None:
            return None
        return DeleteSpareMfaDevice(self.account, SpareParams(self.serial))


def serial_of(account: Account, device_name: str) -> str:
    """The serial number that AWS assigns to a virtual device of this name."""
    return f"arn:{account.partition}:iam::{account.account_id}:mfa/{device_name}"


def name_taken_message(device_name: str) -> str:
    """A sentence for when a device of this name exists."""
    return f"An MFA device named {device_name} already exists in this account. Choose another name."
