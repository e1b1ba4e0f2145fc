"""One key through all four steps, and each thing that can come between."""

from __future__ import annotations

from typing import Any

import pytest

from console.rotation.detail import retries_at
from iam.changes.models import Change, ChangeState
from iam.changes.services import reject
from iam.notify.models import OutgoingMessage
from iam.people.rotation import reconcile, services
from iam.people.rotation.models import RotationOutcome, RotationStage, RotationStep
from tests.iam.people.rotation.conftest import Wheel

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def test_a_key_goes_through_all_four_steps_with_one_approval(wheel: Wheel) -> None:
    rotation, fetched = wheel.using()
    old = wheel.old.aws_id
    assert wheel.in_aws() == {old: "Active", fetched.key_id: "Active"}
    wheel.use(fetched.key_id, fetched.secret)

    wheel.pass_days(rotation, 6)
    wheel.reconcile()
    assert wheel.stage(rotation) == RotationStage.USING
    wheel.pass_days(rotation, 1)
    wheel.reconcile()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, wheel.in_aws()[old]) == (RotationStage.INACTIVE, "Inactive")
    assert rotation_now.new_service == "sts"

    wheel.pass_days(rotation, 6)
    wheel.reconcile()
    assert wheel.stage(rotation) == RotationStage.INACTIVE
    wheel.pass_days(rotation, 1)
    wheel.reconcile()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, rotation_now.outcome) == (RotationStage.ENDED, RotationOutcome.DONE)
    assert wheel.in_aws() == {fetched.key_id: "Active"}
    slugs = Change.objects.order_by("created_at").values_list("operation", flat=True)
    assert list(slugs) == ["access_key.create", "access_key.deactivate", "access_key.delete"]
    assert [happening.act for happening in rotation_now.events.order_by("pk")] == [
        "begin", "ask", "made", "fetch", "deactivate", "inactive", "delete", "end",
    ]  # fmt: skip
    assert services.waits(rotation_now) is False


def test_an_old_key_that_is_in_use_stays_and_its_person_is_reminded(wheel: Wheel, settings: Any) -> None:
    settings.MAIL_IS_CONFIGURED = True
    rotation, fetched = wheel.using()
    wheel.use(fetched.key_id, fetched.secret)
    wheel.pass_days(rotation, 8)
    wheel.use(*wheel.old_secret)
    wheel.reconcile()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, rotation_now.reminders) == (RotationStage.USING, 1)
    assert (rotation_now.old_service, rotation_now.old_region) == ("sts", "eu-west-1")
    assert OutgoingMessage.objects.filter(
        subject__contains="is still in use", recipient=wheel.person.pk
    ).exists()
    wheel.reconcile()
    assert wheel.now(rotation).reminders == 1


def test_nothing_is_deactivated_while_the_new_key_was_never_used(wheel: Wheel) -> None:
    rotation, _ = wheel.using()
    wheel.pass_days(rotation, 30)
    wheel.reconcile()
    assert (wheel.stage(rotation), wheel.now(rotation).reminders) == (RotationStage.USING, 1)
    assert wheel.in_aws()[wheel.old.aws_id] == "Active"


def test_by_hand_a_key_in_use_is_held_and_goes_in_spite_of_it_by_an_approval_of_its_own(wheel: Wheel) -> None:
    rotation, _ = wheel.using()
    wheel.use(*wheel.old_secret)
    with wheel.done():
        services.request_check(wheel.owner, rotation, RotationStep.DEACTIVATE)
    wheel.work()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, rotation_now.wanted) == (RotationStage.USING, "")
    assert "by sts in eu-west-1" in rotation_now.trouble
    with wheel.done():
        services.request_check(wheel.owner, rotation, RotationStep.DEACTIVATE, in_spite=True)
    wheel.work()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, rotation_now.change and rotation_now.change.state) == (
        RotationStage.DEACTIVATING,
        "awaiting_approval",
    )
    wheel.agree(rotation_now.change)
    wheel.work()
    assert (wheel.stage(rotation), wheel.in_aws()[wheel.old.aws_id]) == (RotationStage.INACTIVE, "Inactive")


def test_one_click_makes_the_old_key_active_again_and_the_watch_begins_anew(wheel: Wheel) -> None:
    rotation = wheel.inactive()
    deactivated = rotation.change
    with wheel.done():
        services.activate(wheel.owner, rotation)
    wheel.work()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, wheel.in_aws()[wheel.old.aws_id]) == (RotationStage.USING, "Active")
    assert rotation_now.change is not None
    assert (rotation_now.change.reverts, rotation_now.inactive_at) == (deactivated, None)
    wheel.reconcile()
    assert wheel.stage(rotation) == RotationStage.USING
    wheel.pass_days(rotation, 7)
    wheel.reconcile()
    assert wheel.stage(rotation) == RotationStage.INACTIVE


def test_what_is_asked_by_hand_waits_for_an_approval_at_each_step(wheel: Wheel) -> None:
    rotation, fetched = wheel.using(is_automatic=False)
    wheel.use(fetched.key_id, fetched.secret)
    wheel.pass_days(rotation, 30)
    wheel.reconcile()
    for wanted, stage in (
        (RotationStep.DEACTIVATE, RotationStage.INACTIVE),
        (RotationStep.DELETE, RotationStage.ENDED),
    ):
        assert wheel.stage(rotation) != stage
        with wheel.done():
            services.request_check(wheel.scene.requester, rotation, wanted)
        wheel.work()
        change = wheel.now(rotation).change
        assert change is not None
        assert change.state == "awaiting_approval"
        wheel.agree(change)
        wheel.work()
        assert wheel.stage(rotation) == stage
    assert wheel.in_aws() == {fetched.key_id: "Active"}


def test_a_lost_worker_and_two_at_once_do_nothing_twice(wheel: Wheel) -> None:
    rotation = wheel.begin()
    wheel.agree(rotation.change)
    wheel.work_alone()
    assert wheel.stage(rotation) == RotationStage.ASKED
    reconcile.reconcile_open()
    reconcile.reconcile(rotation.pk)
    assert wheel.stage(rotation) == RotationStage.HANDING
    fetched = services.fetch(rotation, person=wheel.person)
    wheel.use(fetched.key_id, fetched.secret)
    wheel.pass_days(rotation, 7)
    for _ in range(2):
        reconcile.check_usage(rotation.pk)
    wheel.work_alone()
    for _ in range(2):
        reconcile.reconcile_open()
    assert wheel.stage(rotation) == RotationStage.INACTIVE
    assert Change.objects.filter(operation="access_key.deactivate").count() == 1


def test_a_step_that_was_rejected_goes_back_to_where_it_was(wheel: Wheel) -> None:
    rotation, _ = wheel.using()
    with wheel.done():
        services.request_check(wheel.owner, rotation, RotationStep.DEACTIVATE, in_spite=True)
    wheel.work()
    change = wheel.now(rotation).change
    assert change is not None
    with wheel.done():
        reject(change, actor=wheel.scene.approver, comment="Wait for the batch of the month")
    rotation_now = wheel.now(rotation)
    assert rotation_now.stage == RotationStage.USING
    assert rotation_now.trouble.endswith("“Wait for the batch of the month”")
    assert wheel.scene.approver.name in rotation_now.trouble
    # Nothing is tried again before someone asks for it, and the page promises nothing else.
    assert rotation_now.retry_at is None
    assert retries_at(rotation_now) is None


@pytest.mark.parametrize("state", [ChangeState.REJECTED, ChangeState.CANCELLED, ChangeState.EXPIRED])
def test_what_people_stopped_is_not_tried_again(wheel: Wheel, state: ChangeState) -> None:
    rotation, _ = wheel.using()
    with wheel.done():
        services.request_check(wheel.owner, rotation, RotationStep.DEACTIVATE, in_spite=True)
    wheel.work()
    change = wheel.now(rotation).change
    assert change is not None
    Change.objects.filter(pk=change.pk).update(state=state)
    reconcile.reconcile(rotation.pk)
    rotation_now = wheel.now(rotation)
    assert rotation_now.stage == RotationStage.USING
    assert rotation_now.retry_at is None
    assert "failed" not in rotation_now.trouble
