"""Which rollout gave a grant another version of its template, and who requested it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from iam.access.grants.models import Grant, GrantAct, GrantVersion
from iam.access.rollout.models import RolloutGrant
from iam.access.rollout.services import OF_ROLLOUT
from iam.changes.models import Change
from iam.changes.queries import visible_changes
from iam.guard import Viewer


class GrantUpdate(NamedTuple):
    """The version that a rollout gave a grant, and a change of the rollout; None if the viewer sees none."""

    number: int
    change: Change | None

    @property
    def text(self) -> str:
        """The line of the timeline."""
        if self.change is None:
            return f"Updated to version {self.number} by a rollout"
        return f"Updated to version {self.number} by the rollout that {self.change.requested_label} requested"


def updates_of(grant: Grant, versions: Sequence[GrantVersion], *, viewer: Viewer) -> dict[int, GrantUpdate]:
    """The updates of a grant by rollouts, by the number of the grant's version (`versions`, oldest first).
    Two queries; none without such a version.
    """
    if not any(version.act == GrantAct.FOLLOWED for version in versions):
        return {}
    done = RolloutGrant.objects.filter(grant=grant, done_at__isnull=False).order_by("done_at")
    rollouts = list(done.select_related("rollout__version"))
    changes = _visible_changes([row.rollout_id for row in rollouts], viewer=viewer)
    updates: dict[int, GrantUpdate] = {}
    for version, following in pairwise([*versions, None]):
        if version is None or version.act != GrantAct.FOLLOWED:
            continue
        until = None
        if following is not None:
            until = following.at
        row = _rollout_of(version, rollouts, before=until)
        if row is not None:
            updates[version.number] = GrantUpdate(row.rollout.version.number, changes.get(row.rollout_id))
    return updates


def _rollout_of(
    version: GrantVersion, rollouts: Sequence[RolloutGrant], *, before: datetime | None
) -> RolloutGrant | None:
    """The rollout that wrote this version of the grant: the first that was done with the grant from then on,
    and before the next version. An undo of a rollout writes a version without one.
    """
    number = version.terms["what"].get("version")
    for row in rollouts:
        if row.done_at is None or row.done_at < version.at or row.rollout.version.number != number:
            continue
        if before is None or row.done_at < before:
            return row
    return None


def _visible_changes(rollouts: Sequence[UUID], *, viewer: Viewer) -> dict[UUID, Change]:
    """The first visible change of each rollout."""
    rows = visible_changes(viewer).filter(
        change_set__cause_kind=OF_ROLLOUT, change_set__cause_id__in=rollouts
    )
    first_by_rollout: dict[UUID, Change] = {}
    for change in rows.select_related("change_set").order_by("position"):
        cause_id = change.change_set.cause_id
        if cause_id is not None:
            first_by_rollout.setdefault(cause_id, change)
    return first_by_rollout
