"""Which drifts a viewer sees, how many are to be decided, and the list of them page by page."""

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
"""The tabs of the list: a word of the address → the states it shows."""


def visible_drifts(viewer: Viewer) -> QuerySet[Drift]:
    """Those of the entities that the viewer sees today: whole accounts, or the people and groups of their
    teams.
    """
    return visible(Drift.objects.all(), viewer, entity="entity")


def open_drifts(viewer: Viewer) -> QuerySet[Drift]:
    """What is to be decided."""
    return visible_drifts(viewer).filter(state=DriftState.OPEN)


@dataclass(frozen=True, slots=True)
class DriftPosition:
    """Where a row stands in the list."""

    weight: int
    at: datetime
    pk: UUID

    def __str__(self) -> str:
        return f"{self.weight}~{self.at.isoformat()}~{self.pk.hex}"

    @classmethod
    def parse(cls, text: str) -> DriftPosition | None:
        """From the address; None for what is no place."""
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
"""What happened to an entity, or which setting changed; None where the rows that told of it are gone."""


@dataclass(frozen=True, slots=True)
class DriftPage:
    """A page of drifts with what happened, and the place after which the next one begins; None: this is the
    last.
    """

    rows: list[tuple[Drift, What]]
    following: DriftPosition | None


def drift_page(
    viewer: Viewer, *, tab: str = "", account_id: str = "", kind: str = "", after: DriftPosition | None = None
) -> DriftPage:
    """The riskiest first, among critical ones what gives most, then the newest; ten queries, whatever is on
    it.
    """
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
    """Each with what it is about; nine queries at most."""
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
