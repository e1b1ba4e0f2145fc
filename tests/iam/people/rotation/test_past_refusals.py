"""A step that was refused or held back is told in the past, with its date and whose request it was, and is no
longer what is needed once the rotation went on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.errors import RefusedError
from iam.mirror.refresh.key_use import KeySeen, KeysSeen
from iam.moments import moment_words
from iam.people.rotation import events, reconcile, usage_checks
from iam.people.rotation.models import Rotation, RotationStage, RotationStep
from tests import factories
from tests.console.rotation import rows

pytestmark = pytest.mark.django_db
ACTIVE, INACTIVE = "Active", "Inactive"
PRESENT = ("Reactivate", "Find out", "would stop", "still use", "or cancel")
"""Words that tell a reader what to do now, or what is so now."""
WHY_NOT = "No one can approve this request."


def ago(days: int) -> datetime:
    return datetime.now(tz=UTC) - timedelta(days=days)


@pytest.fixture
def rotation() -> Rotation:
    """Both keys work, and the old one was used two days ago."""
    user = factories.user(factories.account(), "kwame.boateng")
    person = factories.person("Kwame Boateng")
    values = {"old_state": ACTIVE, "new_state": ACTIVE, "new_used_at": ago(1), "old_used_at": ago(2)}
    return rows.rotation(rows.key(user), person, quiet_from=ago(8), stage_at=ago(8), **values)


def see(
    rotation: Rotation, *, old: str = ACTIVE, new: str = ACTIVE, old_used: datetime | None = None
) -> None:
    """Let Gatehouse read these statuses of both keys in AWS."""
    keys = {}
    for key_id, status, used_at in (
        (rotation.old.aws_id, old, old_used or rotation.old_used_at),
        (rotation.new_key_id, new, rotation.new_used_at),
    ):
        if status:
            keys[key_id] = KeySeen(key_id, status, ago(120), used_at=used_at)
    seen_at = datetime.now(tz=UTC) + timedelta(minutes=2)
    reconcile.reconcile(rotation.pk, KeysSeen(seen_at, exists=True, keys=keys))
    rotation.refresh_from_db()


def want(rotation: Rotation, step: RotationStep, **values: Any) -> None:
    values |= {"wanted": step, "wanted_by": rotation.person, "wanted_at": ago(0)}
    Rotation.objects.filter(pk=rotation.pk).update(**values)


def held_in_use(rotation: Rotation) -> None:
    want(rotation, RotationStep.DEACTIVATE)
    see(rotation)


def new_key_inactive(rotation: Rotation) -> None:
    see(rotation, new=INACTIVE)


def make_inactive(rotation: Rotation) -> None:
    stage = {"stage": RotationStage.INACTIVE, "inactive_at": ago(5), "old_state": INACTIVE}
    Rotation.objects.filter(pk=rotation.pk).update(**stage, old_used_at=ago(6))
    rotation.refresh_from_db()


def new_key_inactive_too(rotation: Rotation) -> None:
    make_inactive(rotation)
    see(rotation, old=INACTIVE, new=INACTIVE)


def new_key_deleted(rotation: Rotation) -> None:
    make_inactive(rotation)
    see(rotation, old=INACTIVE, new="")


def used_after_all(rotation: Rotation) -> None:
    make_inactive(rotation)
    see(rotation, old=INACTIVE, old_used=ago(1))


HELD = [held_in_use, new_key_inactive, new_key_inactive_too, new_key_deleted, used_after_all]


@pytest.mark.parametrize("hold", HELD)
def test_the_timeline_tells_what_was_held_back_in_the_past(
    rotation: Rotation, hold: Callable[[Rotation], None]
) -> None:
    hold(rotation)
    assert rotation.trouble
    text = rotation.events.get(act="hold").text
    assert not [words for words in PRESENT if words in text]
    see(rotation, old=rotation.old_state, new=rotation.new_state)
    assert rotation.events.filter(act="hold").count() == 1


@pytest.mark.parametrize("hold", HELD)
def test_nothing_of_it_is_needed_once_the_rotation_went_on(
    rotation: Rotation, hold: Callable[[Rotation], None]
) -> None:
    hold(rotation)
    client = Client()
    client.force_login(factories.operator())
    address = reverse("keys:rotation", args=[rotation.pk])
    assert "Nothing was changed" in client.get(address).content.decode()
    if rotation.stage == RotationStage.USING:
        see(rotation, old=INACTIVE)
    else:
        see(rotation, old=ACTIVE)
    assert rotation.trouble == ""
    assert "Nothing was changed" not in client.get(address).content.decode()


@pytest.mark.parametrize("stage", [stage for stage in RotationStage if stage != RotationStage.ENDED])
def test_each_stage_begins_without_what_held_the_former_one(rotation: Rotation, stage: RotationStage) -> None:
    Rotation.objects.filter(pk=rotation.pk).update(trouble="Held")
    events.move_to(rotation, stage)
    rotation.refresh_from_db()
    assert (rotation.stage, rotation.trouble) == (stage, "")


@pytest.mark.parametrize("hold", [new_key_inactive, new_key_inactive_too])
def test_a_new_key_that_is_active_again_needs_nothing(
    rotation: Rotation, hold: Callable[[Rotation], None]
) -> None:
    hold(rotation)
    assert "Reactivate it" in rotation.trouble
    see(rotation, old=rotation.old_state)
    assert rotation.trouble == ""
    assert rotation.events.get(act="resume").text == f"The new key {rotation.new_key_id} is active again."


def test_a_request_that_was_held_back_names_its_requester_and_its_date(rotation: Rotation) -> None:
    held_in_use(rotation)
    beginning = f"The deactivation of {rotation.old.aws_id}, requested by Kwame Boateng, was not done: "
    assert beginning in rotation.trouble
    assert rotation.trouble.startswith(f"On {moment_words(rotation.events.get().at)}: ")
    assert rotation.events.get().text.startswith(beginning)


@pytest.mark.parametrize(
    ("values", "attempt"),
    [
        (
            {"wanted": RotationStep.DEACTIVATE},
            "The deactivation of {key}, requested by Kwame Boateng, was refused",
        ),
        ({"is_automatic": True}, "The automatic deactivation of {key} was refused"),
    ],
)
def test_a_refusal_is_quoted_once_however_often_it_is_tried(
    rotation: Rotation, values: dict[str, Any], attempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(seen_rotation: Rotation, *, agreed: bool) -> None:
        raise RefusedError(WHY_NOT)

    monkeypatch.setattr(usage_checks, "deactivate_old", refuse)
    quiet = {"old_used_at": ago(20), "is_automatic": False, "wanted_by": rotation.person}
    for _ in range(2):
        Rotation.objects.filter(pk=rotation.pk).update(**quiet | values)
        rotation.refresh_from_db()
        see(rotation)
    text = f"{attempt.format(key=rotation.old.aws_id)}: “{WHY_NOT}”"
    assert [event.text for event in rotation.events.all()] == [text]
    assert rotation.trouble.endswith(text)
    assert rotation.retry_at is not None
