"""MFA devices: virtual ones with verified codes, passkeys, security keys and hardware tokens.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html
"""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import segno
from moto.core.responses import ActionResult, EmptyResult

from console.demo.standin import calls, clock, totp
from console.demo.standin.errors import AnswerError
from console.demo.standin.iam import shapes
from console.demo.standin.iam.extras import MfaDevice, account_extras, devices_of
from console.demo.standin.iam.tags import add_tags, checked_tags, drop_tags
from console.demo.standin.overlay import ResponseOverlay

DEVICES_PER_USER = 8
PATH = re.compile(r"/|(/[!-~]+/)")


class MfaCalls(ResponseOverlay):
    """Calls about MFA devices."""

    def create_virtual_mfa_device(self) -> ActionResult:
        """Create an unassigned device. Its seed is returned only this once."""
        name, path = self._get_param("VirtualMFADeviceName"), self._get_param("Path") or "/"
        if not PATH.fullmatch(path) or "//" in path:
            raise AnswerError("ValidationError", "The specified value for path is invalid.")
        serial = f"arn:aws:iam::{self.backend.account_id}:mfa{path}{name}"
        devices = account_extras(self.backend).devices
        if serial in devices:
            raise AnswerError(
                "EntityAlreadyExists", "MFADevice entity at the same path and name already exists."
            )
        seed = base64.b32encode((calls.derive("mfa") * 2)[:40]).decode()
        tags = checked_tags(self._get_param("Tags") or [])
        devices[serial] = MfaDevice(serial=serial, kind="virtual", seed=seed, tags=tags)
        return ActionResult(
            {
                "VirtualMFADevice": {
                    "SerialNumber": serial,
                    "Base32StringSeed": seed.encode(),
                    "QRCodePNG": _qr_code(f"otpauth://totp/{name}@{self.backend.account_id}?secret={seed}"),
                    "Tags": tags or None,
                }
            }
        )

    def enable_mfa_device(self) -> ActionResult:
        """Assign a device to a user after checking two codes. Raises InvalidAuthenticationCode if a code is
        wrong.
        """
        user = self.backend.get_user(self._get_param("UserName"))
        device = self._device(self._get_param("SerialNumber"))
        if device.user is not None:
            raise AnswerError("EntityAlreadyExists", "MFA Device is already in use.")
        if len(devices_of(self.backend, user)) >= DEVICES_PER_USER:
            raise AnswerError(
                "LimitExceeded", f"Cannot exceed quota for MFADevicesPerUser: {DEVICES_PER_USER}"
            )
        self._check_codes(device, behind=2, ahead=1)
        device.user, device.enabled = user, clock.utcnow()
        return EmptyResult()

    def resync_mfa_device(self) -> ActionResult:
        """Resync a device whose clock has drifted. Two consecutive codes show by how much."""
        user = self.backend.get_user(self._get_param("UserName"))
        device = self._device(self._get_param("SerialNumber"))
        if device.user is not user:
            raise _unknown(device.serial)
        self._check_codes(device, behind=40, ahead=40)
        return EmptyResult()

    def _check_codes(self, device: MfaDevice, *, behind: int, ahead: int) -> None:
        call = calls.current()
        if call is not None and call.replayed:
            return
        first, second = self._get_param("AuthenticationCode1"), self._get_param("AuthenticationCode2")
        if not device.seed or not totp.are_consecutive(
            device.seed, first, second, at=clock.epoch(), behind=behind, ahead=ahead
        ):
            raise AnswerError("InvalidAuthenticationCode", "Authentication code for device is not valid.")

    def deactivate_mfa_device(self) -> ActionResult:
        """Unassign a device. Virtual devices and hardware tokens remain, passkeys and security keys are
        deleted.
        """
        device = self._device(self._get_param("SerialNumber"))
        name = self._get_param("UserName")
        user = self.backend.get_user(name) if name else _own_user(self.backend)
        if device.user is not user:
            raise _unknown(device.serial)
        device.user = device.enabled = None
        if device.kind in {"passkey", "security-key"}:
            del account_extras(self.backend).devices[device.serial]
        return EmptyResult()

    def delete_virtual_mfa_device(self) -> ActionResult:
        """Delete an unassigned virtual device."""
        device = self._device(self._get_param("SerialNumber"))
        if device.user is not None:
            raise AnswerError("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
        del account_extras(self.backend).devices[device.serial]
        return EmptyResult()

    def get_mfa_device(self) -> ActionResult:
        """Return a device with its owner and, for a FIDO key, its certifications."""
        device = self._device(self._get_param("SerialNumber"))
        name = self._get_param("UserName")
        if name and (device.user is None or device.user.name != name):
            raise _unknown(device.serial)
        return ActionResult(
            {
                "UserName": device.user.name if device.user else None,
                "SerialNumber": device.serial,
                "EnableDate": device.enabled,
                "Certifications": device.certifications or None,
            }
        )

    def list_mfa_devices(self) -> ActionResult:
        """List the devices of a user, of all types."""
        name = self._get_param("UserName")
        user = self.backend.get_user(name) if name else _own_user(self.backend)
        return self._page(
            "MFADevices",
            devices_of(self.backend, user),
            name=lambda d: d.serial,
            shape=lambda d: {"UserName": user.name, "SerialNumber": d.serial, "EnableDate": d.enabled},
        )

    def list_virtual_mfa_devices(self) -> ActionResult:
        """List the account's virtual devices, assigned or not, including the root user's."""
        wanted = self._get_param("AssignmentStatus") or "Any"
        devices = [d for d in account_extras(self.backend).devices.values() if d.kind == "virtual"]
        if wanted != "Any":
            devices = [d for d in devices if (d.enabled is not None) == (wanted == "Assigned")]
        return self._page(
            "VirtualMFADevices", devices, name=lambda d: d.serial, shape=lambda d: _virtual(self.backend, d)
        )

    def list_mfa_device_tags(self) -> ActionResult:
        """List the tags of a device."""
        return self._page("Tags", self._device(self._get_param("SerialNumber")).tags, name=lambda t: t["Key"])

    def tag_mfa_device(self) -> ActionResult:
        """Add or change tags of a device."""
        device = self._device(self._get_param("SerialNumber"))
        device.tags = add_tags(device.tags, self._get_param("Tags"))
        return EmptyResult()

    def untag_mfa_device(self) -> ActionResult:
        """Remove tags from a device."""
        device = self._device(self._get_param("SerialNumber"))
        device.tags = drop_tags(device.tags, self._get_param("TagKeys"))
        return EmptyResult()

    def _device(self, serial: str) -> MfaDevice:
        device = account_extras(self.backend).devices.get(serial)
        if device is None:
            raise _unknown(serial)
        return device


def _unknown(serial: str) -> AnswerError:
    return AnswerError("NoSuchEntity", f"MFA Device with serial number {serial} does not exist.")


def _own_user(backend: Any) -> Any:
    call = calls.current()
    assert call is not None
    return backend.get_user(call.caller.user_name)


def _virtual(backend: Any, device: MfaDevice) -> shapes.Shape:
    if device.serial.endswith(":mfa/root-account-mfa-device"):
        root = account_extras(backend).root
        owner: shapes.Shape | None = {
            "UserId": backend.account_id,
            "Arn": f"arn:aws:iam::{backend.account_id}:root",
            "CreateDate": root.created if root else None,
            "PasswordLastUsed": root.last_used if root else None,
        }
    else:
        owner = shapes.user(device.user) if device.user else None
    return {"SerialNumber": device.serial, "User": owner, "EnableDate": device.enabled}


def _qr_code(uri: str) -> bytes:
    picture = io.BytesIO()
    segno.make(uri, error="m").save(picture, kind="png", scale=4)
    return picture.getvalue()
