"""Other devices of one's own: a hardware token by its serial number, and a label."""

from __future__ import annotations

import base64
import secrets
from uuid import uuid4

import pytest

from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.directory.models import Person
from iam.mirror.models import Entity, Kind
from iam.people.enrolment import texts
from iam.people.enrolment.devices import BAD_SERIAL, add_hardware, label_of, labels_of, set_label
from tests import factories
from tests.iam.people.enrolment.conftest import Desk, codes_of, worked

pytestmark = pytest.mark.django_db
SEED = base64.b32encode(b"a token from the factory").decode().rstrip("=")


@pytest.fixture
def serial(desk: Desk) -> str:
    """A token that belongs to nobody."""
    number = f"GAHT{secrets.randbelow(10**8):08d}"
    desk.scene.standin.control("token", {"account": desk.account.account_id, "serial": number, "seed": SEED})
    return number


def add(
    desk: Desk,
    serial: str,
    *,
    codes: tuple[str, str] | None = None,
    key: str = "",
    person: Person | None = None,
) -> Change:
    return add_hardware(
        desk.seat.user,
        person=person or desk.seat.person,
        serial=serial,
        codes=codes or codes_of(SEED),
        key=key or str(uuid4()),
    )


def test_a_token_is_given_to_its_person_by_serial_number_and_two_codes_once(desk: Desk, serial: str) -> None:
    change = add(desk, f" {serial[:4].lower()}-{serial[4:]} ", key="k")
    assert add(desk, serial, key="k").pk == change.pk
    assert worked(change).state == ChangeState.APPLIED, change.error_message
    assert desk.in_aws() == [serial]
    shown = Entity.objects.get(kind=Kind.MFA_DEVICE, aws_id=serial)
    assert (shown.owner, shown.states.get().category) == (desk.seat.user, "hardware")
    with pytest.raises(RefusedError, match="already"):
        add(desk, serial)


def test_codes_that_are_none_of_the_token_and_an_unknown_token_are_said_in_words(
    desk: Desk, serial: str
) -> None:
    wrong = worked(add(desk, serial, codes=("000000", "111111")))
    assert (wrong.state, wrong.error_message.startswith("AWS didn’t accept the two codes.")) == (
        ChangeState.FAILED,
        True,
    )
    unknown = worked(add(desk, "GAHT99999999"))
    assert (unknown.state != ChangeState.APPLIED, "GAHT99999999 does not exist" in unknown.error_message) == (
        True,
        True,
    )
    assert desk.in_aws() == []


def test_what_cannot_be_right_is_not_sent(desk: Desk, serial: str) -> None:
    other = factories.user(desk.account, "somebody.else")
    taken = factories.entity(desk.account, Kind.MFA_DEVICE, "GAHT00000001", arn="", category="hardware")
    Entity.objects.filter(pk=taken.pk).update(owner=other, aws_id="GAHT00000001")
    made = Change.objects.count()
    for number, codes, sentence in (
        ("12", None, BAD_SERIAL),
        ("arn:aws:iam::1:mfa/x", None, BAD_SERIAL),
        (serial, ("123456", "123456"), "same code twice"),
        (serial, ("12345", "123456"), "6 digits"),
        ("GAHT00000001", None, "already registered"),
    ):
        with pytest.raises(RefusedError, match=sentence.partition(":")[0]):
            add(desk, number, codes=codes)
    with pytest.raises(RefusedError, match="not linked to you"):
        add(desk, serial, person=Person.objects.create(name="Tomas", email="t@example.com"))
    for number in range(8):
        device = factories.entity(desk.account, Kind.MFA_DEVICE, f"d{number}", arn="", category="virtual")
        Entity.objects.filter(pk=device.pk).update(owner=desk.seat.user)
    with pytest.raises(RefusedError, match="AWS allows 8"):
        add(desk, serial)
    assert Change.objects.count() == made
    assert texts.NOT_SIX


def test_a_label_is_a_tag_of_ones_own_device_and_nothing_else_of_it_changes(desk: Desk) -> None:
    enrolment = desk.begin()
    desk.submit(enrolment, *desk.codes(enrolment))
    device = Entity.objects.get(kind=Kind.MFA_DEVICE, aws_id=enrolment.serial_number)
    change = set_label(device, person=desk.seat.person, label=" Pixel 9,  private ".replace(",", ""), key="k")
    assert worked(change).state == ChangeState.APPLIED, change.error_message
    assert label_of(device) == "Pixel 9 private"
    assert labels_of([device.pk]) == {device.pk: "Pixel 9 private"}
    tags = desk.scene.aws.iam.list_mfa_device_tags(SerialNumber=device.aws_id)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"Label": "Pixel 9 private"}
    with pytest.raises(RefusedError, match="up to 60"):
        set_label(device, person=desk.seat.person, label="x" * 61, key="l")
    stranger = Person.objects.create(name="Tomas", email="t@example.com")
    with pytest.raises(RefusedError, match="not an MFA device of your own"):
        set_label(device, person=stranger, label="mine", key="m")
