"""The sweep: starts due changes that were missed, and expires those that waited too long. The database is the
queue.
"""

from __future__ import annotations

from datetime import UTC, datetime

from iam import nudge
from iam.changes.models import Change, ChangeState
from iam.changes.runner.claims import due
from iam.changes.states import RUN_CHANGE, end_all

BATCH = 500
_OVERDUE = {
    ChangeState.AWAITING: "Not enough people approved it in time. You can submit it again.",
    ChangeState.QUEUED: "It was approved but couldn’t be started within a day. You can submit it again.",
}


def sweep() -> int:
    """Nudge due changes and expire overdue ones. Returns the number of nudged changes. Safe to run
    concurrently.

    While a large request is carried out, its changes are due and wait in the queue. So no more are nudged
    than the queue has room for.
    """
    now = datetime.now(tz=UTC)
    _expire(now)
    ids = list(due(now).order_by("due_at", "id").values_list("id", flat=True)[:BATCH])
    if not ids:
        return 0
    room = max(0, BATCH - nudge.waiting())
    return nudge.send_each(RUN_CHANGE, ids[:room])


def _expire(now: datetime) -> None:
    for state, note in _OVERDUE.items():
        overdue = Change.objects.filter(state=state, expires_at__lte=now).order_by("expires_at", "pk")
        end_all(
            list(overdue.prefetch_related("account", "change_set")[:BATCH]),
            to=ChangeState.EXPIRED,
            actor=None,
            note=note,
        )
