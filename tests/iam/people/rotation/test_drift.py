"""What somebody does outside of Gatehouse on the way, and giving it up at each step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from iam.changes.errors import RefusedError
from iam.mirror.models import Account
from iam.people.rotation import services
from iam.people.rotation.models import RotationOutcome, RotationStage, RotationStep
from tests.iam.people.rotation.conftest import Wheel

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def test_an_old_key_that_was_deleted_outside_ends_it(wheel: Wheel) -> None:
    rotation, fetched = wheel.using()
    wheel.aws("DeleteAccessKey", AccessKeyId=wheel.old.aws_id)
    wheel.pass_days(rotation, 0)
    wheel.reconcile()
    rotation_now = wheel.now(rotation)
    assert rotation_now.outcome == RotationOutcome.DONE
    assert "outside of Gatehouse" in rotation_now.trouble
    assert wheel.in_aws() == {fetched.key_id: "Active"}


def test_an_old_key_that_was_made_inactive_outside_is_watched_as_that(wheel: Wheel) -> None:
    rotation, _ = wheel.using()
    wheel.aws("UpdateAccessKey", AccessKeyId=wheel.old.aws_id, Status="Inactive")
    wheel.pass_days(rotation, 0)
    wheel.reconcile()
    assert wheel.stage(rotation) == RotationStage.INACTIVE
    assert wheel.now(rotation).events.filter(act="drift").exists()


def test_an_old_key_that_was_made_active_outside_is_watched_anew(wheel: Wheel) -> None:
    rotation = wheel.inactive()
    wheel.pass_days(rotation, 7)
    wheel.aws("UpdateAccessKey", AccessKeyId=wheel.old.aws_id, Status="Active")
    wheel.pass_days(rotation, 0)
    wheel.reconcile()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, wheel.in_aws()[wheel.old.aws_id]) == (RotationStage.USING, "Active")
    assert rotation_now.inactive_at is None


def test_a_new_key_that_was_deleted_outside_ends_it_while_the_old_one_works(wheel: Wheel) -> None:
    rotation, fetched = wheel.using()
    wheel.aws("DeleteAccessKey", AccessKeyId=fetched.key_id)
    wheel.pass_days(rotation, 0)
    wheel.reconcile()
    rotation_now = wheel.now(rotation)
    assert rotation_now.outcome == RotationOutcome.KEY_GONE
    assert "still works" in rotation_now.trouble


def test_the_last_key_that_works_is_never_deleted(wheel: Wheel) -> None:
    rotation = wheel.inactive()
    wheel.aws("DeleteAccessKey", AccessKeyId=rotation.new_key_id)
    wheel.pass_days(rotation, 30)
    wheel.reconcile()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, wheel.in_aws()) == (RotationStage.INACTIVE, {wheel.old.aws_id: "Inactive"})
    assert "Reactivate the old one" in rotation_now.trouble


def test_a_user_who_is_gone_ends_it(wheel: Wheel) -> None:
    rotation, fetched = wheel.using()
    for key_id in (wheel.old.aws_id, fetched.key_id):
        wheel.aws("DeleteAccessKey", AccessKeyId=key_id)
    wheel.aws("DeleteUser")
    wheel.pass_days(rotation, 0)
    wheel.reconcile()
    assert wheel.now(rotation).outcome == RotationOutcome.USER_GONE


def test_nothing_is_taken_away_while_the_account_cannot_be_reached(wheel: Wheel) -> None:
    rotation, fetched = wheel.using()
    wheel.use(fetched.key_id, fetched.secret)
    wheel.pass_days(rotation, 8)
    Account.objects.filter(pk=wheel.scene.account.pk).update(source="export")
    with wheel.done():
        services.request_check(wheel.owner, rotation, RotationStep.DEACTIVATE)
    wheel.work()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.stage, rotation_now.wanted) == (RotationStage.USING, "")
    assert "isn’t connected" in rotation_now.read_trouble
    assert "nothing was changed" in rotation_now.trouble
    assert wheel.in_aws()[wheel.old.aws_id] == "Active"


def test_a_use_after_the_deactivation_holds_the_deletion(wheel: Wheel) -> None:
    rotation = wheel.inactive()
    wheel.pass_days(rotation, 7)
    rotation_now = wheel.now(rotation)
    assert rotation_now.inactive_at is not None
    rotation_now.old_used_at = rotation_now.inactive_at + timedelta(hours=1)
    rotation_now.save(update_fields=["old_used_at"])
    wheel.reconcile()
    assert wheel.stage(rotation) == RotationStage.INACTIVE
    assert "Find out what used it" in wheel.now(rotation).trouble


def test_cancelled_before_the_approval_no_key_is_made(wheel: Wheel) -> None:
    rotation = wheel.begin(actor=wheel.owner) if wheel.person else None
    assert rotation is not None
    with pytest.raises(RefusedError, match="Only the requester"):
        services.cancel(wheel.scene.requester, rotation)
    with wheel.done():
        cancel = services.cancel(wheel.owner, rotation)
    assert "No new key was created" in cancel
    assert wheel.stage(rotation) == RotationStage.ENDED
    assert wheel.in_aws() == {wheel.old.aws_id: "Active"}


def test_cancelled_in_use_both_keys_stand_or_the_new_one_goes(wheel: Wheel) -> None:
    rotation, fetched = wheel.using()
    with wheel.done():
        services.cancel(wheel.owner, rotation, with_new=True)
    wheel.work()
    assert fetched.key_id not in wheel.in_aws()
    again, second = wheel.using()
    with wheel.done():
        cancel = services.cancel(wheel.owner, again)
    wheel.work()
    assert set(wheel.in_aws()) == {wheel.old.aws_id, second.key_id}
    assert "is kept" in cancel


def test_a_new_key_that_is_in_use_is_deleted_by_no_cancelling(wheel: Wheel) -> None:
    rotation, fetched = wheel.using()
    wheel.use(fetched.key_id, fetched.secret)
    with wheel.done():
        services.request_check(wheel.owner, rotation, RotationStep.LOOK)
    wheel.work()
    with pytest.raises(RefusedError, match="would break what uses it"):
        services.cancel(wheel.owner, rotation, with_new=True)
    with wheel.done():
        services.cancel(wheel.owner, rotation)
    wheel.reconcile()
    assert set(wheel.in_aws()) == {wheel.old.aws_id, fetched.key_id}


def test_what_comes_too_early_or_too_late_is_refused_and_says_where_it_stands(wheel: Wheel) -> None:
    rotation = wheel.begin(actor=wheel.owner) if wheel.person else None
    assert rotation is not None
    for act in (services.activate, services.issue_again):
        with pytest.raises(RefusedError, match="The status has changed: new key requested"):
            act(wheel.owner, rotation)
    wheel.agree(rotation.change)
    with pytest.raises(RefusedError, match="in progress"):
        services.cancel(wheel.owner, rotation)
    wheel.work()
    with wheel.done():
        services.cancel(wheel.owner, rotation)
    with pytest.raises(RefusedError, match="has ended"):
        services.cancel(wheel.owner, rotation)


def test_cancelled_while_inactive_the_old_key_stays_inactive(wheel: Wheel) -> None:
    rotation = wheel.inactive()
    with wheel.done():
        cancel = services.cancel(wheel.owner, rotation)
    wheel.reconcile()
    assert wheel.in_aws()[wheel.old.aws_id] == "Inactive"
    assert "stays inactive" in cancel


def test_what_aws_shows_right_after_a_step_ends_nothing(wheel: Wheel) -> None:
    rotation, fetched = wheel.using()
    wheel.aws("DeleteAccessKey", AccessKeyId=fetched.key_id)
    wheel.reconcile()
    assert wheel.stage(rotation) == RotationStage.USING
