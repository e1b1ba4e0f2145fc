"""Access keys and rotations in the mirror alone, for tests of pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from iam.directory.models import Person
from iam.mirror.models import NEVER, Entity, Kind, Usage
from iam.people.rotation.models import Rotation, RotationRun, RotationStage
from iam.people.runs.models import RunState
from tests import factories


def key(user: Entity, *, days: int = 120, status: str = "Active", used: int | None = None) -> Entity:
    """A key of a user, so many days old, last used so many days ago."""
    now = datetime.now(tz=UTC)
    made: Entity = factories.entity(
        user.account,
        Kind.ACCESS_KEY,
        "key",
        arn="",
        category=status,
        created_at=now - timedelta(days=days),
    )
    made.owner, made.name, made.search = user, made.aws_id, made.aws_id.lower()
    made.save(update_fields=["owner", "name", "search"])
    made.states.update(name=made.aws_id, sort_name=made.aws_id.lower())
    Usage.objects.update_or_create(
        entity=made,
        defaults={
            "account": user.account,
            "kind": Kind.ACCESS_KEY,
            "last_used_at": NEVER if used is None else now - timedelta(days=used),
            "service": "" if used is None else "s3",
            "region": "" if used is None else "eu-west-1",
            "observed_at": now,
        },
    )
    return made


def rotation(old: Entity, person: Person, *, begun_by: Person | None = None, **more: Any) -> Rotation:
    """A rotation of a key, where both keys are in use unless `stage` says otherwise."""
    now = datetime.now(tz=UTC)
    values: dict[str, Any] = {
        "quiet_days": 7,
        "keep_days": 7,
        "begun_at": now,
        "stage": RotationStage.USING,
        "stage_at": now,
        "new_key_id": "AKIANEWNEWNEWNEWNEWN",
        "new_state": "Active",
        "quiet_from": now,
        "fetched_at": now,
    }
    beginner = begun_by or person
    if "run" not in more:
        more["run"] = RotationRun.objects.create(
            requested_by=beginner.pk,
            requested_label=beginner.name,
            reason="Older than 90 days",
            state=RunState.REQUESTED,
        )
    return Rotation.objects.create(person=person, begun_by=beginner, user=old.owner, old=old, **values | more)


def arguments(own: Entity, other: Entity, person: Person) -> dict[str, dict[str, Any]]:
    """Keys and rotations of the member and of somebody else, for tests/test_urls_by_role.py."""
    stranger = factories.person("Tomas Lind", email="tomas-of-the-rotation@example.com")
    mine, strange = key(own), key(other)
    return {
        "own key": {"pk": mine.pk},
        "other key": {"pk": strange.pk},
        "own rotation": {"pk": rotation(mine, person).pk},
        "other rotation": {"pk": rotation(strange, stranger).pk},
    }
