"""Which of the rotations under way a pass of the beat looks at, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from iam.people.rotation import reconcile
from iam.people.rotation.models import Rotation, RotationStage, RotationStep
from tests import factories
from tests.console.rotation import rows

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Whom AWS would be asked about."""
    looked: list[UUID] = []
    monkeypatch.setattr(reconcile, "check_usage", looked.append)
    return looked


def under_way(number: int, **values: Any) -> Rotation:
    """A rotation that was looked at a moment ago, unless told."""
    user = factories.user(factories.account(f"{number + 100:012}"), f"user-{number}")
    person = factories.person(f"Person {number}", email=f"person{number}@example.com")
    now = datetime.now(tz=UTC)
    return rows.rotation(rows.key(user), person, **{"read_at": now, **values})


def test_what_somebody_wants_comes_first_then_what_was_never_read_then_the_oldest(looked: list[UUID]) -> None:
    now = datetime.now(tz=UTC)
    old = under_way(1, read_at=now - timedelta(hours=7))
    under_way(2)
    older = under_way(3, read_at=now - timedelta(hours=9), stage=RotationStage.INACTIVE)
    never = under_way(4, read_at=None)
    wanted = under_way(5, wanted=RotationStep.LOOK, wanted_at=now)
    under_way(6, read_at=None, retry_at=now + timedelta(minutes=5))
    under_way(7, read_at=None, wanted=RotationStep.DELETE, stage=RotationStage.WAITING)

    assert reconcile.reconcile_open() == 4

    assert looked == [wanted.pk, never.pk, older.pk, old.pk]


def test_a_pass_takes_no_more_than_it_can_do(looked: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "BATCH", 2)
    never = [under_way(number, read_at=None).pk for number in range(2)]
    wanted = under_way(5, wanted=RotationStep.LOOK, read_at=None)

    assert reconcile.reconcile_open() == 2

    assert looked[0] == wanted.pk
    assert looked[1] in never
