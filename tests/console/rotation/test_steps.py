"""The steps of a rotation say what each of them waits for, or what came of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.rotation.detail import steps_of
from iam.people.rotation.models import RotationStage
from tests import factories
from tests.console.rotation.rows import key, rotation

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (RotationStage.USING, "After 7 days without use"),
        (RotationStage.DEACTIVATING, "Requested"),
        (RotationStage.INACTIVE, "AWS refuses the old key"),
        (RotationStage.DELETING, "AWS refuses the old key"),
    ],
)
def test_the_deactivation_says_what_it_waits_for(stage: RotationStage, words: str) -> None:
    inactive_at = None
    if stage in (RotationStage.INACTIVE, RotationStage.DELETING):
        inactive_at = datetime.now(tz=UTC)
    old, person = key(factories.user(factories.account(), "kwame.boateng")), factories.person("Kwame Boateng")
    steps = steps_of(rotation(old, person, stage=stage, inactive_at=inactive_at))
    assert [step.note for step in steps if step.name == "Deactivate"] == [words]
