"""A device is enrolled by its own person: begun, scanned, shown to work, and read back; and what else can
happen on the way.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from iam.changes import notifications
from iam.changes.approval.models import Requirement
from iam.changes.errors import RefusedError
from iam.changes.models import Approval, Change
from iam.directory.models import Identity, Person
from iam.journal.models import Entry
from iam.mirror.models import Account, Entity, EntityState, Kind, valid_at
from iam.notify.models import OutgoingMessage
from iam.people.enrolment import reconcile, services, texts
from iam.people.enrolment.models import Enrolment, EnrolmentOutcome
from iam.people.enrolment.queries import EnrolmentStage
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link
from iam.sealed.models import Secret
from tests import factories
from tests.iam.people.enrolment.conftest import Desk, codes_of, worked

pytestmark = pytest.mark.django_db


def refused(call: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        call(*args, **options)
    return caught.value.message


def wrong(desk: Desk, enrolment: Enrolment, first: str = "000000", second: str = "111111") -> str:
    return refused(services.submit_codes, enrolment, desk.seat, first=first, second=second)


def tidy(enrolment: Enrolment) -> Enrolment:
    """Let beat and a worker do their work."""
    reconcile.reconcile_enrolments()
    enrolment_now = Enrolment.objects.get(pk=enrolment.pk)
    if enrolment_now.cleaning is not None:
        worked(enrolment_now.cleaning)
        reconcile.reconcile_enrolments()
    return Enrolment.objects.get(pk=enrolment.pk)


def test_two_codes_enrol_the_device_and_aws_shows_it(desk: Desk) -> None:
    enrolment = desk.begin()
    assert desk.stands(enrolment).stage is EnrolmentStage.SCAN
    assert desk.in_aws() == []

    done = desk.submit(enrolment, *desk.codes(enrolment))
    reconcile.settle(done)

    assert desk.stands(done).stage is EnrolmentStage.DONE
    assert desk.in_aws() == [done.serial_number]
    assert Enrolment.objects.get().outcome == EnrolmentOutcome.ENABLED
    mirrored = EntityState.objects.filter(valid_at(None), kind=Kind.MFA_DEVICE, entity__owner=desk.seat.user)
    assert [row.entity.aws_id for row in mirrored] == [done.serial_number]
    assert services.seed_of(done, desk.seat) is None


def test_both_writes_are_changes_that_nobody_has_to_approve(desk: Desk) -> None:
    done = desk.begin()
    desk.submit(done, *desk.codes(done))
    changes = Change.objects.order_by("created_at")
    assert [(change.operation, change.state) for change in changes] == [
        ("mfa_device.create_virtual", "applied"),
        ("mfa_device.enable", "applied"),
    ]
    assert {change.requested_by for change in changes} == {desk.seat.person.pk}
    assert not Approval.objects.exists()
    for change in changes:
        notifications.tell_end(change)
    assert not OutgoingMessage.objects.exists(), (
        "they see it on their page, and may have no sign-in to follow a link"
    )
    assert [(requirement.stages, requirement.because) for requirement in Requirement.objects.all()] == [
        ([], ["One’s own MFA device"])
    ] * 2
    kinds = set(Entry.objects.filter(subject=desk.seat.user.arn).values_list("kind", flat=True))
    assert {"enrolment.begin", "change.requested", "change.accepted", "change.applied"} <= kinds


def test_a_reload_does_not_lose_the_seed_and_no_other_browser_has_it(desk: Desk) -> None:
    enrolment = desk.begin()
    assert desk.seed(enrolment) == desk.seed(enrolment)
    assert services.seed_of(enrolment, replace(desk.seat, secret="another browser")) is None
    somebody = Person.objects.create(name="Tomas Lind", email="tomas@example.com")
    assert services.seed_of(enrolment, replace(desk.seat, person=somebody)) is None


def test_beginning_twice_in_a_browser_makes_one_device(desk: Desk) -> None:
    first = desk.begin()
    assert desk.begin("another-name").pk == first.pk
    assert Change.objects.count() == 1


def test_somebody_elses_user_is_refused(desk: Desk) -> None:
    Identity.objects.all().delete()
    assert refused(services.begin, desk.seat, device_name="x") == services.NOT_YOURS
    assert not Change.objects.exists()


def test_the_same_code_twice_is_said_and_not_sent(desk: Desk) -> None:
    enrolment = desk.begin()
    code = desk.codes(enrolment)[1]
    assert wrong(desk, enrolment, code, code) == texts.TWICE
    assert wrong(desk, enrolment, code, "12345x") == texts.NOT_SIX
    assert Enrolment.objects.get().failures == 0


def test_codes_in_the_wrong_order_or_not_in_a_row_are_told_apart_from_wrong_ones(desk: Desk) -> None:
    enrolment = desk.begin()
    first, second = desk.codes(enrolment)
    assert wrong(desk, enrolment, second, first) == texts.SWAPPED
    assert wrong(desk, enrolment, desk.codes(enrolment, off=-90)[0], second) == texts.NOT_IN_A_ROW
    assert Enrolment.objects.get().failures == 0
    assert "4 attempts are left" in wrong(desk, enrolment)
    assert Change.objects.count() == 1


@pytest.mark.parametrize(
    ("off", "sentence"), [(-450, "7 minutes and 30 seconds behind"), (3600, "1 hour ahead")]
)
def test_a_clock_that_is_wrong_is_measured_and_said(desk: Desk, off: int, sentence: str) -> None:
    enrolment = desk.begin()
    with time_machine.travel(enrolment.begun_at, tick=False):
        assert sentence in wrong(desk, enrolment, *desk.codes(enrolment, off=off))
    assert Change.objects.count() == 1
    assert desk.stands(enrolment).stage is EnrolmentStage.SCAN


def test_too_many_wrong_codes_end_it_and_the_link_and_leave_no_device(desk: Desk) -> None:
    link = make_link(LinkPurpose.MFA, person=desk.seat.person, user_arn=desk.seat.user.arn, actor=None)
    desk.seat = replace(desk.seat, link=link)
    enrolment = desk.begin()
    assert enrolment.serial_number in desk.spare()
    answers = [wrong(desk, enrolment) for _ in range(5)]
    assert "1 attempt is left" in answers[3]
    assert answers[4] == texts.LOCKED
    assert OneTimeLink.objects.get().ended_why == "revoked", "at once: nothing can be started again by it"
    assert wrong(desk, enrolment, *codes_of("JBSWY3DPEHPK3PXP")) == texts.LOCKED

    assert tidy(enrolment).is_settled
    assert enrolment.serial_number not in desk.spare()
    assert OneTimeLink.objects.get().ended_why == "revoked"
    assert Entry.objects.filter(kind="enrolment.locked").count() == 1


def test_ten_wrong_codes_in_half_an_hour_lock_the_user_for_all_browsers(desk: Desk) -> None:
    for number in range(2):
        desk.seat = replace(desk.seat, secret=f"browser {number}")
        enrolment = desk.begin()
        for _ in range(5):
            wrong(desk, enrolment)
    desk.seat = replace(desk.seat, secret="a third browser")
    assert "There were too many attempts" in refused(services.begin, desk.seat, device_name="third")
    with time_machine.travel(enrolment.begun_at + timedelta(minutes=31), tick=False):
        services.begin(desk.seat, device_name="third")


def test_six_beginnings_in_half_an_hour_are_enough_for_a_user(desk: Desk) -> None:
    for number in range(6):
        desk.seat = replace(desk.seat, secret=f"browser {number}")
        begun = services.begin(desk.seat, device_name=f"phone-{number}")
    desk.seat = replace(desk.seat, secret="one more")
    assert "There were too many attempts" in refused(services.begin, desk.seat, device_name="more")
    with time_machine.travel(begun.begun_at + timedelta(minutes=31), tick=False):
        services.begin(desk.seat, device_name="more")


def test_what_is_not_finished_in_time_is_destroyed_and_its_device_deleted(desk: Desk) -> None:
    enrolment = desk.begin()
    codes = desk.codes(enrolment)
    with time_machine.travel(enrolment.expires_at + timedelta(seconds=1)):
        assert desk.stands(enrolment).said == texts.SEED_EXPIRED
        assert services.seed_of(enrolment, desk.seat) is None
        assert wrong(desk, enrolment, *codes) == texts.SEED_EXPIRED
        settled = tidy(enrolment)
    assert (settled.outcome, settled.is_settled) == (EnrolmentOutcome.EXPIRED, True)
    assert enrolment.serial_number not in desk.spare()
    assert not Secret.objects.exclude(ciphertext="").exists()
    (deleted,) = Change.objects.filter(operation="mfa_device.delete_spare")
    assert (deleted.state, deleted.reason) == ("applied", reconcile.REASON)


def test_what_is_cancelled_leaves_nothing(desk: Desk) -> None:
    enrolment = desk.begin()
    services.cancel(enrolment, replace(desk.seat, secret="another browser"))
    assert desk.stands(enrolment).stage is EnrolmentStage.SCAN
    services.cancel(enrolment, desk.seat)
    services.cancel(enrolment, desk.seat)
    assert tidy(enrolment).is_settled
    assert enrolment.serial_number not in desk.spare()
    assert desk.begin().pk != enrolment.pk


def test_a_name_that_somebody_has_taken_in_aws_is_said(desk: Desk) -> None:
    name = f"phone-{desk.seat.user.name}"
    desk.scene.aws.iam.create_virtual_mfa_device(VirtualMFADeviceName=name)
    enrolment = desk.begin(name)
    standing = desk.stands(enrolment)
    assert standing.stage is EnrolmentStage.OVER
    assert f"An MFA device named {name} already exists in this account" in standing.said
    reconcile.reconcile_enrolments()
    assert Enrolment.objects.get().outcome == EnrolmentOutcome.FAILED
    assert enrolment.serial_number in desk.spare(), "somebody else's device was deleted"


@pytest.mark.parametrize(("purpose", "ended"), [(LinkPurpose.MFA, "finished"), (LinkPurpose.INVITATION, "")])
def test_a_link_has_served_with_the_device_and_an_invitation_goes_on(
    desk: Desk, purpose: LinkPurpose, ended: str
) -> None:
    link = make_link(purpose, person=desk.seat.person, user_arn=desk.seat.user.arn, actor=None)
    desk.seat = replace(desk.seat, link=link)
    reconcile.settle(desk.submit(enrolment := desk.begin(), *desk.codes(enrolment)))
    assert OneTimeLink.objects.get().ended_why == ended


def test_a_second_device_gets_another_name(desk: Desk) -> None:
    first = desk.begin()
    reconcile.settle(desk.submit(first, *desk.codes(first)))
    assert refused(services.begin, desk.seat, device_name=first.device_name).startswith("An MFA device named")
    second = desk.begin()
    assert second.device_name == f"{first.device_name}-2"
    desk.submit(second, *desk.codes(second))
    assert desk.in_aws() == [first.serial_number, second.serial_number]


def test_a_ninth_device_is_refused_before_anything_is_made(desk: Desk) -> None:
    for number in range(8):
        factories.entity(desk.account, Kind.MFA_DEVICE, f"d{number}", arn=f"d{number}")
    Entity.objects.filter(kind=Kind.MFA_DEVICE).update(owner=desk.seat.user)
    assert "has 8 MFA devices, and AWS allows 8" in refused(services.begin, desk.seat, device_name="ninth")


def test_in_an_account_that_is_read_only_nothing_begins(desk: Desk) -> None:
    Account.objects.update(source="export")
    desk.seat.user.account.refresh_from_db()
    assert "uploaded as a file" in refused(services.begin, desk.seat, device_name="x")
    assert not Enrolment.objects.exists()


def test_a_user_who_is_gone_from_aws_is_said(desk: Desk) -> None:
    desk.scene.aws.iam.delete_user(UserName=desk.seat.user.name)
    enrolment = desk.begin()
    standing = desk.stands(enrolment)
    assert (standing.stage, "no longer exists under this name in AWS" in standing.said) == (
        EnrolmentStage.OVER,
        True,
    )
    assert enrolment.serial_number not in desk.spare()


def test_codes_that_a_worker_gets_too_late_are_not_sent(desk: Desk) -> None:
    enrolment = desk.begin()
    first, second = desk.codes(enrolment)
    services.submit_codes(enrolment, desk.seat, first=first, second=second)
    services.submit_codes(enrolment, desk.seat, first=first, second=second)
    assert Change.objects.filter(operation="mfa_device.enable").count() == 1
    giving = Enrolment.objects.get().giving
    assert giving is not None
    desk.scene.standin.control("faults/clear", {})
    Secret.objects.filter(pk=giving.params["sealed_id"]).update(expires_at=enrolment.begun_at)
    worked(giving)
    standing = desk.stands(enrolment)
    assert standing.stage is EnrolmentStage.SCAN
    assert "older than a minute" in standing.said
    assert desk.scene.standin.calls("iam:EnableMFADevice") == 0
    desk.submit(enrolment, *desk.codes(enrolment))
    assert desk.stands(enrolment).stage is EnrolmentStage.DONE


def test_a_device_that_aws_gave_after_the_time_was_over_is_enrolled(desk: Desk) -> None:
    enrolment = desk.begin()
    services.submit_codes(
        enrolment, desk.seat, **dict(zip(("first", "second"), desk.codes(enrolment), strict=True))
    )
    Enrolment.objects.update(expires_at=enrolment.begun_at)
    reconcile.reconcile_enrolments()
    giving = Enrolment.objects.get().giving
    assert giving is not None
    worked(giving)
    reconcile.reconcile_enrolments()
    assert Enrolment.objects.get().outcome == EnrolmentOutcome.ENABLED
    assert desk.in_aws() == [enrolment.serial_number]
