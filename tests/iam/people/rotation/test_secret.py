"""The secret of the new key: for one person, once, in time; and what becomes of a key that nobody can use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.changes.errors import RefusedError
from iam.changes.services.secrets import read_secret
from iam.directory.models import Person
from iam.people.links.models import OneTimeLink
from iam.people.rotation import services
from iam.people.rotation.models import Rotation, RotationOutcome, RotationStage
from iam.sealed.models import Secret, SecretState
from iam.sealed.services import sweep
from tests.iam.people.rotation.conftest import Wheel

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def let_it_lie(rotation: Rotation) -> None:
    """24 hours pass, and nobody reads it."""
    over = datetime.now(tz=UTC) - timedelta(seconds=1)
    Secret.objects.filter(pk=rotation.sealed_id).update(expires_at=over)
    sweep()


def test_only_its_person_reads_it_and_once(wheel: Wheel) -> None:
    rotation = wheel.made()
    with pytest.raises(RefusedError, match="no access key to get here"):
        services.fetch(rotation, person=wheel.scene.requester)
    fetched = services.fetch(rotation, person=wheel.person)
    assert fetched.key_id == rotation.new_key_id
    wheel.use(fetched.key_id, fetched.secret)
    with pytest.raises(RefusedError, match="saw it on"):
        services.fetch(rotation, person=wheel.person)
    assert OneTimeLink.objects.get(cause_id=rotation.pk).person == wheel.person


def test_a_key_whose_secret_nobody_fetched_is_deleted_and_another_is_made_three_in_all(wheel: Wheel) -> None:
    rotation = wheel.made()
    seen = []
    for _ in range(3):
        rotation_now = wheel.now(rotation)
        seen.append(rotation_now.new_key_id)
        let_it_lie(rotation_now)
        wheel.reconcile()
        assert seen[-1] not in wheel.in_aws()
    rotation_now = wheel.now(rotation)
    assert len(set(seen)) == 3
    assert (rotation_now.stage, rotation_now.outcome) == (RotationStage.ENDED, RotationOutcome.UNFETCHED)
    assert wheel.in_aws() == {wheel.old.aws_id: "Active"}
    assert "still works" in rotation_now.trouble


def test_a_lost_secret_is_replaced_as_long_as_the_key_was_not_used(wheel: Wheel) -> None:
    rotation, first = wheel.using()
    with wheel.done():
        services.issue_again(wheel.owner, rotation)
    wheel.work()
    rotation_now = wheel.now(rotation)
    assert rotation_now.stage == RotationStage.HANDING
    assert set(wheel.in_aws()) == {wheel.old.aws_id, rotation_now.new_key_id}
    second = services.fetch(rotation_now, person=wheel.person)
    assert second.key_id != first.key_id
    wheel.use(second.key_id, second.secret)
    wheel.reconcile()
    with pytest.raises(RefusedError, match="was used on"):
        services.issue_again(wheel.owner, rotation)


def test_a_secret_that_was_read_on_the_page_of_the_change_counts_as_fetched(wheel: Wheel) -> None:
    rotation = wheel.made()
    assert rotation.change is not None
    read_secret(rotation.change, actor=wheel.owner)
    wheel.reconcile()
    assert wheel.now(rotation).fetched_at is not None


def test_for_somebody_who_has_left_no_other_key_is_made(wheel: Wheel) -> None:
    rotation = wheel.made()
    Person.objects.filter(pk=wheel.person.pk).update(is_active=False)
    let_it_lie(rotation)
    wheel.reconcile()
    rotation_now = wheel.now(rotation)
    assert (rotation_now.outcome, wheel.in_aws()) == (RotationOutcome.UNFETCHED, {wheel.old.aws_id: "Active"})


def test_a_cancelled_rotation_takes_the_unread_key_with_it(wheel: Wheel) -> None:
    rotation = wheel.made()
    with wheel.done():
        cancel = services.cancel(wheel.owner, rotation)
    wheel.work()
    assert wheel.in_aws() == {wheel.old.aws_id: "Active"}
    assert "is deleted" in cancel
    assert Secret.objects.get(pk=rotation.sealed_id).state == SecretState.SHREDDED
    assert OneTimeLink.objects.get(cause_id=rotation.pk).ended_at is not None


def test_a_secret_of_a_rotation_that_has_ended_is_shown_to_nobody(wheel: Wheel) -> None:
    rotation = wheel.made()
    wheel.aws("DeleteAccessKey", AccessKeyId=rotation.new_key_id)
    wheel.pass_days(rotation, 0)
    wheel.reconcile()
    assert wheel.now(rotation).outcome == RotationOutcome.KEY_GONE
    with pytest.raises(RefusedError, match="No secret is available"):
        services.fetch(rotation, person=wheel.person)


def test_a_link_is_sent_again_after_a_while_and_the_one_before_opens_nothing(
    wheel: Wheel, settings: Any
) -> None:
    settings.MAIL_IS_CONFIGURED = True
    rotation = wheel.made()
    with pytest.raises(RefusedError, match="was sent just now"):
        services.send_again(wheel.owner, rotation)
    wheel.pass_days(rotation, 0)
    again = services.send_again(wheel.owner, rotation)
    assert list(OneTimeLink.objects.filter(cause_id=rotation.pk, ended_at__isnull=True)) == [again]
