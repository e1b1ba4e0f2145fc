"""Delete an unassigned virtual MFA device.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteVirtualMFADevice.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.spec import Loss, OperationSpec
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh.credentials import device_exists, reread_spare_device

_NEVER: Final = "AWS can’t restore the seed of a deleted device. A new one has to be set up on the phone."


@dataclass(frozen=True, slots=True)
class SpareParams:
    """Which device: its serial number, which is its ARN."""

    serial_number: str

    def __post_init__(self) -> None:
        if not isinstance(self.serial_number, str) or ":mfa/" not in self.serial_number:
            raise ValueError(f"The serial number of a virtual device is an ARN, not {self.serial_number!r}.")


class DeleteSpareMfaDevice(Operation):
    """Deletes it."""

    spec = OperationSpec(
        slug="mfa_device.delete_spare",
        family="virtual-mfa-device",
        subject_kind=Kind.MFA_DEVICE.value,
        title="Delete unassigned MFA device {name}",
        no_op="The device no longer exists.",
        counted=("Delete", "unassigned MFA device"),
        notes=("No one can sign in with it: it isn’t assigned to a user.",),
        call="DeleteVirtualMFADevice",
        parameters={"SerialNumber": "serial_number"},
        sentence="Permanently deletes MFA device {name}",
        loss=Loss(
            "Delete an unassigned virtual MFA device",
            _NEVER,
            "Leave it: no one can sign in with an unassigned device.",
        ),
    )

    missing_message = _NEVER
    inputs: SpareParams
    params_type = SpareParams

    @classmethod
    def of(cls, device: Entity) -> Self:
        """The operation on a device of the mirror. Raises ValueError for one that is no virtual device."""
        return cls(device.account, SpareParams(device.aws_id))

    @property
    def name(self) -> str:
        """The device in a sentence."""
        return self.inputs.serial_number.rpartition("/")[2]

    @property
    def subject_id(self) -> str:
        """The serial number."""
        return self.inputs.serial_number

    def modified_arns(self) -> tuple[str, ...]:
        return (self.inputs.serial_number,)

    def desired_state(self) -> Image:
        return {"exists": False}

    def subject(self) -> Entity | None:
        return Entity.objects.filter(
            account=self.account,
            kind=Kind.MFA_DEVICE,
            aws_id=self.inputs.serial_number,
            gone_at__isnull=True,
        ).first()

    def state_in_mirror(self) -> Image | None:
        return {"exists": self.subject() is not None}

    def identity_error(self, aws: Aws) -> str:
        """A serial number has no other id behind it."""
        return ""

    def observe(self, aws: Aws) -> Image:
        """One call."""
        return {"exists": device_exists(aws, serial_number=self.inputs.serial_number)}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """One call."""
        reread_spare_device(self.account, aws, serial_number=self.inputs.serial_number, cause_id=cause_id)

    def problems(self) -> list[str]:
        """AWS deletes no device that somebody has."""
        device = self.subject()
        if device is not None and device.owner is not None:
            return [
                f"{device.owner.name} has this device. Delete it on their page, which deactivates it first."
            ]
        return super().problems()
