"""Finds the drifts that a viewer sees, the open ones, and the list page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import QuerySet

from iam.changes.drift.effect import KEY_WEIGHT
from iam.changes.drift.mirror_history import ObservedSteps, ObservedThing, happened_at
from iam.changes.drift.models import Drift, DriftState
from iam.changes.drift.settings import SettingChange, settings_of
from iam.guard import Viewer
from iam.keyset import rows_beyond
from iam.mirror.queries.visibility import visible

PAGE = 25
_WEIGHTS = {str(weight) for weight in range(KEY_WEIGHT + 1)}
TABS: dict[str, tuple[DriftState, ...]] = {
    "": (DriftState.OPEN,),
    "undoing": (DriftState.UNDOING,),
    "adopted": (DriftState.ADOPTED,),
    "undone": (DriftState.UNDONE,),
    "explained": (DriftState.EXPLAINED,),
}
"""The tabs of the list, by their word in the URL, with their states."""


def visible_drifts(viewer: Viewer) -> QuerySet[Drift]:
    """The drifts of entities that the viewer sees today: whole accounts, or the people and groups of their
    teams.
    """
    return visible(Drift.objects.all(), viewer, entity="entity")


def open_drifts(viewer: Viewer) -> QuerySet[Drift]:
    """Visible drifts that need a decision."""
    return visible_drifts(viewer).filter(state=DriftState.OPEN)


@dataclass(frozen=True, slots=True)
class DriftPosition:
    """The sort key of a row."""

    weight: int
    at: datetime
    pk: UUID

    def __str__(self) -> str:
        return f"{self.weight}~{self.at.isoformat()}~{self.pk.hex}"

    @classmethod
    def parse(cls, text: str) -> DriftPosition | None:
        """Parse the URL form; None if it is invalid."""
        weight, _, rest = text.partition("~")
        at, _, pk = rest.partition("~")
        if weight not in _WEIGHTS:
            return None
        try:
            moment = datetime.fromisoformat(at)
            return cls(int(weight), moment.astimezone(UTC), UUID(pk)) if moment.tzinfo else None
        except (ValueError, OverflowError):
            return None


What = ObservedSteps | SettingChange | None
"""What happened to an entity, or which setting changed; None if those rows are gone."""


@dataclass(frozen=True, slots=True)
class DriftPage:
    """A page of drifts with what happened, and the position after which the next page begins (None on the
    last).
    """

    rows: list[tuple[Drift, What]]
    following: DriftPosition | None


def drift_page(
    viewer: Viewer, *, tab: str = "", account_id: str = "", kind: str = "", after: DriftPosition | None = None
) -> DriftPage:
    """A page of drifts: riskiest first, critical ones by gain, then newest first. Ten queries."""
    drifts = visible_drifts(viewer).filter(state__in=TABS[tab])
    if account_id:
        drifts = drifts.filter(account__account_id=account_id)
    if kind:
        drifts = drifts.filter(kind=kind)
    if after:
        place = (after.weight, after.at, after.pk)
        drifts = drifts.filter(rows_beyond(("weight", "seen_at", "id"), place, descending=True))
    rows = list(drifts.select_related("account", "entity").order_by("-weight", "-seen_at", "-id")[: PAGE + 1])
    more, rows = len(rows) > PAGE, rows[:PAGE]
    last = DriftPosition(rows[-1].weight, rows[-1].seen_at, rows[-1].pk) if more else None
    return DriftPage(what_happened(rows), last)


def what_happened(drifts: Sequence[Drift]) -> list[tuple[Drift, What]]:
    """The drifts with what happened to their entities or settings. At most nine queries."""
    events = happened_at(
        [ObservedThing(drift.entity_id, drift.seen_at) for drift in drifts if drift.entity_id]
    )
    changed = settings_of(drifts)
    pairs: list[tuple[Drift, What]] = []
    for drift in drifts:
        if drift.entity_id:
            pairs.append((drift, events.get(ObservedThing(drift.entity_id, drift.seen_at))))
        else:
            pairs.append((drift, changed.get((drift.account_id, drift.fact, drift.seen_at))))
    return pairs
