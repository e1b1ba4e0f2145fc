"""MFA devices: given to a user, brought into step, taken away, deleted."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from console.demo.standin import totp
from iam.changes.operations import Operation
from iam.changes.operations import mfa_device as mfa
from iam.changes.operations.virtual_mfa_device import CreateVirtualMfaDevice, DeleteSpareMfaDevice, serial_of
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import USER_MFA
from tests.iam.changes.operations.credential_sorts import kept, see
from tests.iam.changes.operations.stage import Stage
from tests.iam.changes.operations.table import Case, nothing


def make_device(stage: Stage, *, is_assigned: bool = True) -> tuple[Entity, Entity]:
    """A virtual device, assigned to a user; both, as the mirror has them."""
    user = stage.user()
    made = stage.iam.create_virtual_mfa_device(VirtualMFADeviceName=stage.name("phone"))["VirtualMFADevice"]
    stage.keep.update(user=user.name, id=made["SerialNumber"], seed=made["Base32StringSeed"].decode())
    assign(stage)
    see(stage, user, USER_MFA)
    if not is_assigned:
        unassign(stage)
        see(stage, user, USER_MFA, spare=(stage.keep["id"],))
    return user, kept(stage, Kind.MFA_DEVICE)


def codes(stage: Stage) -> tuple[str, str]:
    """Two codes that the device shows in a row."""
    seed, now = stage.keep["seed"], time.time()
    return totp.code(seed, at=now - totp.STEP), totp.code(seed, at=now)


def assign(stage: Stage) -> None:
    """Give the device to the user."""
    first, second = codes(stage)
    stage.iam.enable_mfa_device(
        UserName=stage.keep["user"],
        SerialNumber=stage.keep["id"],
        AuthenticationCode1=first,
        AuthenticationCode2=second,
    )


def unassign(stage: Stage) -> None:
    """Take it away."""
    stage.iam.deactivate_mfa_device(UserName=stage.keep["user"], SerialNumber=stage.keep["id"])


def new_device(stage: Stage) -> Operation:
    """A virtual device is made."""
    user, name = stage.user(), stage.name("phone")
    see(stage, user, USER_MFA)
    stage.keep.update(user=user.name, id=serial_of(stage.account, name))
    return CreateVirtualMfaDevice.of(
        user, device_name=name, sealed_id=uuid4(), reader_id=uuid4(), browser="a" * 64
    )


def made_by_somebody(stage: Stage) -> None:
    """Somebody makes a device of the same name."""
    stage.iam.create_virtual_mfa_device(VirtualMFADeviceName=stage.keep["id"].rpartition("/")[2])


def enable_device(stage: Stage) -> Operation:
    """A spare device is given to the user."""
    user, device = make_device(stage, is_assigned=False)
    sealed_id = mfa.seal_codes(*codes(stage), sealed_id=uuid4(), account_id=stage.account.account_id)
    return mfa.EnableMfaDevice.of_user(device, user=user, sealed_id=sealed_id)


def resync_device(stage: Stage) -> Operation:
    """A device is brought into step."""
    user, device = make_device(stage)
    sealed_id = mfa.seal_codes(*codes(stage), sealed_id=uuid4(), account_id=stage.account.account_id)
    return mfa.ResyncMfaDevice.of_user(device, user=user, sealed_id=sealed_id)


def make_the_user_again(stage: Stage) -> None:
    """Somebody deletes the user and makes another of the name, who gets the device if the first one had
    it.
    """
    is_theirs = shows_device(stage)["owner"] is not None
    if is_theirs:
        unassign(stage)
    stage.iam.delete_user(UserName=stage.keep["user"])
    stage.iam.create_user(UserName=stage.keep["user"])
    if is_theirs:
        assign(stage)


def shows_device(stage: Stage) -> Any:
    """Whether the device is there, and who has it."""
    virtual_mfa_devices = stage.iam.list_virtual_mfa_devices(MaxItems=1000)["VirtualMFADevices"]
    owners = {
        device["SerialNumber"]: device.get("User", {}).get("UserName") for device in virtual_mfa_devices
    }
    return {"owner": owners[stage.keep["id"]]} if stage.keep["id"] in owners else None


def spare(stage: Stage, before: Any) -> Any:
    """It is there, and belongs to nobody."""
    return {"owner": None}


def theirs(stage: Stage, before: Any) -> Any:
    """The user has it."""
    return {"owner": stage.keep["user"]}


CASES = (
    Case(
        "mfa_device.create_virtual",
        new_device,
        shows_device,
        after=spare,
        meddle=made_by_somebody,
        repeats=False,
    ),
    Case("mfa_device.enable", enable_device, shows_device, after=theirs, meddle=make_the_user_again),
    Case(
        "mfa_device.resync",
        resync_device,
        shows_device,
        after=theirs,
        meddle=unassign,
        is_reversible=False,
        repeats=False,
    ),
    Case(
        "mfa_device.deactivate",
        lambda stage: mfa.DeactivateMfaDevice.of(make_device(stage)[1]),
        shows_device,
        after=spare,
        meddle=make_the_user_again,
        is_reversible=False,
    ),
    Case(
        "mfa_device.delete",
        lambda stage: mfa.DeleteMfaDevice.of(make_device(stage)[1]),
        shows_device,
        after=nothing,
        meddle=make_the_user_again,
        is_reversible=False,
        calls=2,
    ),
    Case(
        "mfa_device.delete_spare",
        lambda stage: DeleteSpareMfaDevice.of(make_device(stage, is_assigned=False)[1]),
        shows_device,
        after=nothing,
        is_reversible=False,
    ),
)
