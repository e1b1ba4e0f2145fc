"""A person with an IAM user of their own in the stand-in, who sits in a browser and enrols a device."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from iam.changes.models import Change
from iam.changes.runner import run
from iam.directory.models import Identity, Person
from iam.mirror.models import Account
from iam.mirror.pull.sections import LOGIN_PROFILES, USER_MFA
from iam.people.enrolment import services, totp
from iam.people.enrolment.models import Enrolment
from iam.people.enrolment.queries import EnrolmentStatus, standing_of
from iam.people.enrolment.services import EnrolmentSession
from tests.iam.changes.conftest import Scene, nudges, scene, standin, standin_process
from tests.iam.changes.operations.credentials import pull

__all__ = ["nudges", "scene", "standin", "standin_process"]


@dataclass
class Desk:
    """The person, their user, and what they do."""

    scene: Scene
    seat: EnrolmentSession

    @property
    def account(self) -> Account:
        """The account."""
        return self.scene.account

    def begin(self, name: str = "") -> Enrolment:
        """Begin, and let a worker make the device."""
        made = services.begin(self.seat, device_name=name or services.free_name(self.seat.user))
        assert made.making is not None
        worked(made.making)
        return Enrolment.objects.get(pk=made.pk)

    def seed(self, enrolment: Enrolment) -> str:
        """What the browser shows as text, without its blanks."""
        seed = services.seed_of(enrolment, self.seat)
        assert seed is not None
        return seed.text.replace(" ", "")

    def codes(self, enrolment: Enrolment, *, off: int = 0) -> tuple[str, str]:
        """Two codes in a row, of a clock that is `off` seconds wrong."""
        return codes_of(self.seed(enrolment), off=off)

    def submit(self, enrolment: Enrolment, first: str, second: str) -> Enrolment:
        """Send two codes, and let a worker give them to AWS."""
        services.submit_codes(enrolment, self.seat, first=first, second=second)
        enrolment_now = Enrolment.objects.get(pk=enrolment.pk)
        if enrolment_now.giving is not None:
            worked(enrolment_now.giving)
        return Enrolment.objects.get(pk=enrolment.pk)

    def stands(self, enrolment: Enrolment) -> EnrolmentStatus:
        """How it stands now."""
        return standing_of(Enrolment.objects.get(pk=enrolment.pk))

    def in_aws(self) -> list[str]:
        """The serial numbers of the user's devices, as boto3 reads them."""
        mfa_devices = self.scene.aws.iam.list_mfa_devices(UserName=self.seat.user.name)["MFADevices"]
        return [device["SerialNumber"] for device in mfa_devices]

    def spare(self) -> set[str]:
        """Virtual devices of the account that belong to nobody."""
        list_virtual_mfa_devices = self.scene.aws.iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")
        return {
            virtual_mfa_device["SerialNumber"]
            for virtual_mfa_device in list_virtual_mfa_devices["VirtualMFADevices"]
        }


def codes_of(seed: str, *, off: int = 0) -> tuple[str, str]:
    """Two codes that a device with this seed shows in a row."""
    step = int((time.time() + off) // totp.STEP)
    return totp.code_at(seed, step - 1), totp.code_at(seed, step)


def worked(change: Change) -> Change:
    """The change after a worker was told of it."""
    run(change.pk)
    change.refresh_from_db()
    return change


@pytest.fixture
def desk(scene: Scene) -> Desk:
    """See Desk."""
    pull(scene, USER_MFA, LOGIN_PROFILES)
    person = Person.objects.create(name="Kwame Boateng", email="kwame@example.com")
    Identity.objects.create(person=person, user_arn=scene.user.arn)
    return Desk(scene, EnrolmentSession(person=person, user=scene.user, secret="the key of a browser"))
