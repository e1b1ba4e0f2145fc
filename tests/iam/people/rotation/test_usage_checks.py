"""What a look at two keys leads to: the old one goes only when all that speaks for it is so, and what was
agreed to is not stretched. No AWS is needed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from iam.mirror.refresh.key_use import KeySeen, KeysSeen
from iam.people.rotation import reconcile, usage_checks
from iam.people.rotation.models import Rotation, RotationStage, RotationStep
from tests import factories
from tests.console.rotation import rows

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
ACTIVE, INACTIVE = "Active", "Inactive"
SEEN: Any = SimpleNamespace(keys={}, at=None)
AGREED, ASKED = [True], [False]
"""Done as it was agreed to at the beginning, or asked for by itself."""


def ago(days: int) -> datetime:
    return datetime.now(tz=UTC) - timedelta(days=days)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each step that was taken rested on the agreement at the beginning."""
    done: list[bool] = []
    for name in ("deactivate_old", "delete_old"):
        monkeypatch.setattr(usage_checks, name, lambda seen_rotation, agreed: done.append(agreed))
    return done


def rotation(**values: Any) -> Rotation:
    """Both keys work; the new one is used, and the old one was quiet for long enough."""
    user = factories.user(factories.account(), "kwame.boateng")
    quiet = {
        "old_state": ACTIVE,
        "old_used_at": ago(20),
        "new_used_at": ago(1),
        "quiet_from": ago(8),
        "is_automatic": True,
    }
    return rows.rotation(rows.key(user), factories.person("Kwame Boateng"), **quiet | values)


WANTED = {"wanted": RotationStep.DEACTIVATE}
EARLY = {"old_used_at": ago(2)}
BY_HAND = {"is_automatic": False}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, AGREED),
        (WANTED, AGREED),
        (BY_HAND, []),
        (BY_HAND | WANTED, ASKED),
        (EARLY, []),
        ({"quiet_from": ago(2)}, []),
        ({"new_used_at": None}, []),
        (EARLY | WANTED, []),
        (EARLY | WANTED | {"in_spite": True}, ASKED),
        ({"new_used_at": None, "in_spite": True} | WANTED, ASKED),
        ({"new_state": INACTIVE}, []),
        ({"new_state": INACTIVE, "in_spite": True} | WANTED, []),
        ({"old_state": INACTIVE}, []),
    ],
)
def test_the_old_key_is_deactivated_when_it_is_quiet_and_the_new_one_works(
    done: list[bool], values: dict[str, Any], expected: list[bool]
) -> None:
    started = rotation(**values)
    usage_checks.watch_using(started, None)
    assert done == []
    usage_checks.watch_using(started, SEEN)
    assert done == expected
    started.refresh_from_db()
    assert started.stage == (RotationStage.INACTIVE if started.old_state == INACTIVE else RotationStage.USING)
    assert bool(started.trouble) == (started.new_state == INACTIVE or values in (EARLY | WANTED,))


DELETE = {"wanted": RotationStep.DELETE}
USED = {"old_used_at": ago(1)}
YOUNG = {"inactive_at": ago(2)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, AGREED),
        (DELETE, AGREED),
        (BY_HAND, []),
        (BY_HAND | DELETE, ASKED),
        (YOUNG, []),
        (YOUNG | DELETE, ASKED),
        (USED, []),
        (USED | DELETE, []),
        (USED | DELETE | {"in_spite": True}, ASKED),
        ({"new_state": INACTIVE}, []),
        ({"new_state": "", "in_spite": True} | DELETE, []),
        ({"old_state": ACTIVE} | DELETE, []),
    ],
)
def test_the_old_key_is_deleted_when_it_was_kept_unused_and_another_one_works(
    done: list[bool], values: dict[str, Any], expected: list[bool]
) -> None:
    kept = {"stage": RotationStage.INACTIVE, "old_state": INACTIVE, "inactive_at": ago(8)}
    started = rotation(**kept | values)
    usage_checks.watch_inactive(started, None)
    assert done == []
    usage_checks.watch_inactive(started, SEEN)
    assert done == expected
    started.refresh_from_db()
    assert started.stage == (RotationStage.USING if started.old_state == ACTIVE else RotationStage.INACTIVE)


@pytest.mark.parametrize(
    ("after", "is_there", "expected"),
    [
        (timedelta(seconds=-1), True, (False, RotationStage.USING)),
        (timedelta(seconds=30), True, (True, RotationStage.USING)),
        (timedelta(seconds=30), False, (False, RotationStage.USING)),
        (timedelta(seconds=61), False, (False, RotationStage.ENDED)),
    ],
)
def test_a_reading_of_before_the_latest_step_says_nothing_and_one_of_right_after_it_ends_nothing(
    done: list[bool], after: timedelta, is_there: bool, expected: tuple[bool, RotationStage]
) -> None:
    started = rotation(new_used_at=None)
    keys = {started.old.aws_id: KeySeen(started.old.aws_id, ACTIVE, ago(120))}
    if is_there:
        keys[started.new_key_id] = KeySeen(started.new_key_id, ACTIVE, ago(9), used_at=ago(1))
    reconcile.reconcile(started.pk, KeysSeen(started.stage_at + after, exists=True, keys=keys))
    started.refresh_from_db()
    assert (started.new_used_at is not None, started.stage) == expected
