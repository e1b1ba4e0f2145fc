"""Moves as rows, for tests of their pages."""

from __future__ import annotations

from iam.changes.models import ChangeSet
from iam.directory.models import Person
from iam.people.blueprints.models import BlueprintVersion
from iam.people.moving.models import OF_MOVE, Move
from iam.people.runs.models import RunState


def moved(former: BlueprintVersion, version: BlueprintVersion, author: Person) -> Move:
    """Somebody who moved between the two."""
    summary = [{"account": "production", "sign": "loses", "text": "Member of payments-dev", "says": ""}]
    move = Move.objects.create(
        name="Yuki Tanaka",
        former=former,
        version=version,
        state=RunState.DONE,
        summary=summary,
        loses=1,
        reason="Joins Data",
        requested_by=author.pk,
        requested_label=author.name,
    )
    move.change_set = ChangeSet.objects.create(title="Move", cause_kind=OF_MOVE, cause_id=move.pk)
    move.save(update_fields=["change_set"])
    return move
