"""MFA devices are enrolled only with codes that the device really shows."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.demo.standin import totp
from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import member

USER = "tomas.lind"


@pytest.fixture
def iam(fresh: RunningStandin) -> Any:
    return member(fresh, "iam", "production")


@pytest.fixture
def device(iam: Any) -> tuple[str, str]:
    """(serial number, seed) of a new virtual device."""
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=USER)["VirtualMFADevice"]
    return made["SerialNumber"], made["Base32StringSeed"].decode()


def codes(seed: str, *, off: float = 0) -> dict[str, str]:
    """Two codes in a row, the second of them the present one of a clock that is `off` seconds wrong."""
    now = time.time() + off
    return {
        "AuthenticationCode1": totp.code(seed, at=now - totp.STEP),
        "AuthenticationCode2": totp.code(seed, at=now),
    }


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("at", "shown"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(at: float, shown: str) -> None:
    """RFC 6238, appendix B, SHA-1 rows, the last six of eight digits."""
    assert totp.code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at=at) == shown


def test_two_codes_in_a_row_enrol_the_device(iam: Any, device: tuple[str, str]) -> None:
    serial, seed = device
    iam.enable_mfa_device(UserName=USER, SerialNumber=serial, **codes(seed))
    assert [d["SerialNumber"] for d in iam.list_mfa_devices(UserName=USER)["MFADevices"]] == [serial]
    assert iam.get_mfa_device(SerialNumber=serial)["UserName"] == USER


def test_wrong_codes_are_refused(iam: Any, device: tuple[str, str]) -> None:
    serial, seed = device
    good = codes(seed)
    swapped = {
        "AuthenticationCode1": good["AuthenticationCode2"],
        "AuthenticationCode2": good["AuthenticationCode1"],
    }
    same = {
        "AuthenticationCode1": good["AuthenticationCode2"],
        "AuthenticationCode2": good["AuthenticationCode2"],
    }
    for wrong in (
        swapped,
        same,
        codes(seed, off=-600),
        {"AuthenticationCode1": "000000", "AuthenticationCode2": "111111"},
    ):
        code = refusal(iam.enable_mfa_device, UserName=USER, SerialNumber=serial, **wrong)
        assert code == "InvalidAuthenticationCode"
    assert iam.list_mfa_devices(UserName=USER)["MFADevices"] == []


def test_a_drifted_device_is_resynchronised(iam: Any, device: tuple[str, str]) -> None:
    serial, seed = device
    iam.enable_mfa_device(UserName=USER, SerialNumber=serial, **codes(seed))
    iam.resync_mfa_device(UserName=USER, SerialNumber=serial, **codes(seed, off=-300))
    assert refusal(iam.resync_mfa_device, UserName=USER, SerialNumber=serial, **codes(seed, off=-7200)) == (
        "InvalidAuthenticationCode"
    )


def test_a_device_in_use_can_neither_be_given_nor_deleted(iam: Any, device: tuple[str, str]) -> None:
    serial, seed = device
    iam.enable_mfa_device(UserName=USER, SerialNumber=serial, **codes(seed))
    again = {"UserName": "kwame.boateng", "SerialNumber": serial, **codes(seed)}
    assert refusal(iam.enable_mfa_device, **again) == "EntityAlreadyExists"
    assert refusal(iam.delete_virtual_mfa_device, SerialNumber=serial) == "DeleteConflict"
    iam.deactivate_mfa_device(UserName=USER, SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)
    assert refusal(iam.get_mfa_device, SerialNumber=serial) == "NoSuchEntity"


def test_a_new_device_belongs_to_nobody(iam: Any, device: tuple[str, str]) -> None:
    virtual_mfa_devices = iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]
    assert [d["SerialNumber"] for d in virtual_mfa_devices] == [device[0]]


def test_the_same_name_is_taken(iam: Any, device: tuple[str, str]) -> None:
    assert refusal(iam.create_virtual_mfa_device, VirtualMFADeviceName=USER) == "EntityAlreadyExists"


def test_the_qr_code_is_a_picture(iam: Any) -> None:
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="picture")["VirtualMFADevice"]
    assert made["QRCodePNG"].startswith(b"\x89PNG")


def test_a_device_is_labelled_by_a_tag(iam: Any, device: tuple[str, str]) -> None:
    iam.tag_mfa_device(SerialNumber=device[0], Tags=[{"Key": "Label", "Value": "phone"}])
    assert iam.list_mfa_device_tags(SerialNumber=device[0])["Tags"] == [{"Key": "Label", "Value": "phone"}]


def test_a_ninth_device_is_one_too_many(iam: Any) -> None:
    for number in range(8):
        made = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"d{number}")["VirtualMFADevice"]
        seed = made["Base32StringSeed"].decode()
        iam.enable_mfa_device(UserName=USER, SerialNumber=made["SerialNumber"], **codes(seed))
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="d8")["VirtualMFADevice"]
    ninth = {
        "UserName": USER,
        "SerialNumber": made["SerialNumber"],
        **codes(made["Base32StringSeed"].decode()),
    }
    assert refusal(iam.enable_mfa_device, **ninth) == "LimitExceeded"
