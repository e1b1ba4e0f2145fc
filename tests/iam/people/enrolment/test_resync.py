"""A device of one's own whose clock has drifted is brought back into step."""

from __future__ import annotations

from uuid import uuid4

import pytest

from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.directory.models import Person
from iam.mirror.models import Entity, Kind
from iam.people.enrolment import texts
from iam.people.enrolment.resync import own_totp_device, resync
from tests.iam.people.enrolment.conftest import Desk, codes_of, worked

pytestmark = pytest.mark.django_db


@pytest.fixture
def seed(desk: Desk) -> str:
    """The seed of a device that the person has."""
    enrolment = desk.begin()
    seed = desk.seed(enrolment)
    desk.submit(enrolment, *desk.codes(enrolment))
    return seed


def device(desk: Desk) -> Entity:
    (serial,) = desk.in_aws()
    entity = Entity.objects.get(kind=Kind.MFA_DEVICE, aws_id=serial)
    assert own_totp_device(entity.pk, arns=frozenset({desk.seat.user.arn})) == entity
    assert own_totp_device(entity.pk, arns=frozenset({"arn:aws:iam::1:user/somebody"})) is None
    return entity


def test_two_codes_of_a_slow_clock_bring_it_into_step(desk: Desk, seed: str) -> None:
    first, second = codes_of(seed, off=-300)
    key = str(uuid4())
    change = resync(device(desk), person=desk.seat.person, first=first, second=second, key=key)
    again = resync(device(desk), person=desk.seat.person, first=first, second=second, key=key)
    assert again.pk == change.pk
    assert worked(change).state == ChangeState.APPLIED, change.error_message


def test_codes_that_aws_refuses_are_said_and_locked_after_five(desk: Desk, seed: str) -> None:
    entity = device(desk)
    with pytest.raises(RefusedError, match="same code twice"):
        resync(entity, person=desk.seat.person, first="123456", second="123 456", key="k")
    with pytest.raises(RefusedError, match=texts.NOT_SIX):
        resync(entity, person=desk.seat.person, first="12345", second="123456", key="k")
    for _ in range(5):
        change = resync(entity, person=desk.seat.person, first="000000", second="111111", key=str(uuid4()))
        assert worked(change).state == ChangeState.FAILED
        assert change.error_message.startswith(
            "AWS didn’t accept the two codes. Nothing was changed in AWS. Wait until"
        )
    with pytest.raises(RefusedError, match="refused the codes 5 times"):
        resync(entity, person=desk.seat.person, first="000000", second="111111", key=str(uuid4()))


def test_somebody_else_does_not_bring_it_into_step(desk: Desk, seed: str) -> None:
    other = Person.objects.create(name="Tomas Lind", email="tomas@example.com")
    first, second = codes_of(seed)
    made = Change.objects.count()
    with pytest.raises(RefusedError, match="not an MFA device of your own"):
        resync(device(desk), person=other, first=first, second=second, key="k")
    assert Change.objects.count() == made
