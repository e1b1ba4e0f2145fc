"""What a set is called, for whom: its title speaks of all its parts, and is told only to who sees them all."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from iam.changes.models import Change
from iam.changes.queries import visible_changes
from iam.guard import Viewer


def partly_hidden(sets: Iterable[UUID], *, viewer: Viewer) -> set[UUID]:
    """Of these sets, those with parts that the viewer does not see; no query for who sees everything."""
    wanted = set(sets)
    if viewer.scope.sees_everything or not wanted:
        return set()
    seen = visible_changes(viewer).filter(change_set__in=wanted).values("pk")
    hidden = Change.objects.filter(change_set__in=wanted).exclude(pk__in=seen)
    return set(hidden.values_list("change_set_id", flat=True))
