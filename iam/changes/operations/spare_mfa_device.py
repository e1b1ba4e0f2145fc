"""Delete an unassigned virtual MFA device.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteVirtualMFADevice.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import Call, Effect, Image, Loss, Operation
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.reread.credentials import device_exists, reread_spare_device

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

    slug = "mfa_device.delete_spare"
    loss = Loss(
        "Delete an unassigned virtual MFA device",
        _NEVER,
        "Leave it: no one can sign in with an unassigned device.",
    )
    family = "virtual-mfa-device"
    is_idempotent = True
    subject_kind = Kind.MFA_DEVICE.value
    gone = _NEVER

    def __init__(self, account: Account, given: SpareParams) -> None:
        super().__init__(account)
        self.given = given

    @classmethod
    def from_params(cls, account: Account, params: Mapping[str, Any]) -> Self:
        return cls(account, SpareParams(**params))

    @classmethod
    def of(cls, device: Entity) -> Self:
        """The operation on a device of the mirror. Raises ValueError for one that is no virtual device."""
        return cls(device.account, SpareParams(device.aws_id))

    @property
    def params(self) -> dict[str, Any]:
        return asdict(self.given)

    @property
    def name(self) -> str:
        """The device in a sentence."""
        return self.given.serial_number.rpartition("/")[2]

    @property
    def title(self) -> str:
        return f"Delete unassigned MFA device {self.name}"

    @property
    def subject_id(self) -> str:
        """The serial number."""
        return self.given.serial_number

    @property
    def already(self) -> str:
        return "The device no longer exists."

    def touched(self) -> tuple[str, ...]:
        return (self.given.serial_number,)

    def calls(self) -> tuple[Call, ...]:
        return (
            Call(
                service="iam",
                operation="DeleteVirtualMFADevice",
                params={"SerialNumber": self.given.serial_number},
                sentence=f"Permanently deletes MFA device {self.name}",
            ),
        )

    def wanted(self) -> Image:
        return {"exists": False}

    def subject(self) -> Entity | None:
        return Entity.objects.filter(
            account=self.account,
            kind=Kind.MFA_DEVICE,
            aws_id=self.given.serial_number,
            gone_at__isnull=True,
        ).first()

    def mirrored(self) -> Image | None:
        return {"exists": self.subject() is not None}

    def effect(self) -> Effect:
        return Effect(notes=("No one can sign in with it: it isn’t assigned to a user.",))

    def mismatch(self, aws: Aws) -> str:
        """A serial number has no other id behind it."""
        return ""

    def observe(self, aws: Aws) -> Image:
        """One call."""
        return {"exists": device_exists(aws, serial_number=self.given.serial_number)}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """One call."""
        reread_spare_device(self.account, aws, serial_number=self.given.serial_number, cause_id=cause_id)

    def problems(self) -> list[str]:
        """AWS deletes no device that somebody has."""
        device = self.subject()
        if device is not None and device.owner is not None:
            return [
                f"{device.owner.name} has this device. Delete it on their page, which deactivates it first."
            ]
        return super().problems()

    def inverse(self, before: Image) -> Operation | None:
        """Nothing brings it back."""
        return None
