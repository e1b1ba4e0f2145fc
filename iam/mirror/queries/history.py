"""The history of an entity, newest first, in pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet

from iam.mirror.models import (
    Edge,
    Entity,
    EntityState,
    InlinePolicy,
    Kind,
    PolicyVersion,
    TagSet,
    TemporalRow,
    UserCredentials,
    valid_at,
)
from iam.mirror.queries import history_events
from iam.mirror.queries.history_events import KEYS, FactStep, HistoryEvent, newest_first, steps
from iam.mirror.queries.moments import change_moments

PAGE = 20
ROWS = 1000
"""Maximum number of rows per table and page. Only a mass change exceeds it."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of events, newest first. `older` is where the next page begins, None at the end.

    `is_cut` means that more rows changed at once than a page reads.
    """

    events: list[HistoryEvent]
    older: datetime | None
    is_cut: bool = False


def timeline(
    entity: Entity, *, until: datetime | None = None, since: datetime | None = None, size: int = PAGE
) -> HistoryPage:
    """Return what happened before `until` and after `since` (both exclusive), at no more than `size` times.
    Nine queries.
    """
    bounds = Q()
    if until:
        bounds &= Q(when__lt=until)
    if since:
        bounds &= Q(when__gt=since)
    moments = [row["when"] for row in change_moments(entity, when=bounds).order_by("-when")[: size + 1]]
    page, more = moments[:size], len(moments) > size
    if not page:
        return HistoryPage([], None)
    reading = _HistoryReading(entity, low=page[-1], high=page[0])
    events = newest_first(reading.events())
    older = page[-1] if more else None
    return HistoryPage(events, older=older, is_cut=reading.is_cut)


@dataclass(slots=True)
class _HistoryReading:
    """Reads the rows of each table between two times."""

    entity: Entity
    low: datetime
    high: datetime
    is_cut: bool = False
    at_once: bool = True

    def events(self) -> Iterator[HistoryEvent]:
        entity = self.entity
        yield from history_events.state_events(
            self._steps(EntityState.objects.filter(entity=entity), with_first=True), entity=entity
        )
        owned = EntityState.objects.filter(entity__owner=entity)
        yield from history_events.owned_events(self._steps(owned, with_first=True), entity=entity)
        out = Edge.objects.filter(source=entity).select_related("source", "target")
        yield from history_events.edge_events(self._steps(out), outgoing=True)
        into = Edge.objects.filter(target=entity).select_related("source", "target")
        yield from history_events.edge_events(self._steps(into), outgoing=False)
        inline = InlinePolicy.objects.filter(owner=entity)
        yield from history_events.inline_events(self._steps(inline))
        versions = PolicyVersion.objects.filter(policy=entity)
        yield from history_events.version_events(self._steps(versions), at_once=self.at_once)
        yield from history_events.tag_events(self._steps(TagSet.objects.filter(entity=entity)))
        credentials = UserCredentials.objects.filter(user=entity)
        yield from history_events.credential_events(self._steps(credentials), has_key_rows=self._has_keys())

    def _steps(self, rows: QuerySet[Any], *, with_first: bool = False) -> list[FactStep]:
        """Return the steps of the rows. Rows from a first sync are left out, because the entity's own first
        event covers them, unless `with_first` is set.
        """
        begun = Q(valid_from__range=(self.low, self.high))
        if not with_first:
            begun &= Q(after__isnull=False)
        ended = Q(valid_to__range=(self.low, self.high))
        newest_first = rows.filter(begun | ended).order_by("-valid_from", "-pk")
        newest = list(newest_first[: ROWS + 1])
        self.is_cut = self.is_cut or len(newest) > ROWS
        model: type[TemporalRow] = rows.model
        return list(steps(newest[:ROWS], key=KEYS[model], low=self.low, high=self.high))

    def _has_keys(self) -> bool:
        if self.entity.kind != Kind.USER:
            return True
        return Entity.objects.filter(owner=self.entity, kind=Kind.ACCESS_KEY).exists()


def difference(entity: Entity, *, left: datetime, right: datetime | None) -> HistoryPage:
    """Return the differences between two times (`right` None: now), however often it changed in between. Nine
    queries.
    """
    high = right or datetime.now(tz=UTC)
    comparing = _ComparisonReading(entity, low=left, high=high, right=right, at_once=False)
    return HistoryPage(newest_first(comparing.events()), older=None, is_cut=comparing.is_cut)


@dataclass(slots=True)
class _ComparisonReading(_HistoryReading):
    """Reads the rows that are valid at one of two times only."""

    right: datetime | None = None

    def _steps(self, rows: QuerySet[Any], *, with_first: bool = False) -> list[FactStep]:
        then = valid_at(self.low)
        now = valid_at(self.right)
        newest_first = rows.filter((then & ~now) | (now & ~then)).order_by("-valid_from", "-pk")
        newest = list(newest_first[: ROWS + 1])
        self.is_cut = self.is_cut or len(newest) > ROWS
        key = KEYS[rows.model]
        sides: dict[Any, list[Any]] = {}
        for row in newest[:ROWS]:
            was_there = row.valid_from <= self.low
            side = 0 if was_there else 1
            sides.setdefault(key(row), [None, None])[side] = row
        return [FactStep(old, new) for old, new in sides.values()]


@dataclass(frozen=True, slots=True)
class TwoDocuments:
    """Two versions of a document to compare."""

    title: str
    old: str
    new: str
    old_from: datetime
    new_from: datetime
    old_name: str = ""
    new_name: str = ""


def two_documents(entity: Entity, *, token: str) -> TwoDocuments | None:
    """Return the documents that an event names as `sort-oldrow-newrow`, or None unless both rows belong to
    the entity.
    """
    sort, _, rest = token.partition("-")
    numbers = rest.split("-")
    if len(numbers) != 2 or not all(number.isdecimal() and len(number) < 19 for number in numbers):
        return None
    pks = [int(number) for number in numbers]
    queries: dict[str, QuerySet[Any]] = {
        "state": EntityState.objects.filter(entity=entity, document__isnull=False),
        "inline": InlinePolicy.objects.filter(owner=entity),
        "version": PolicyVersion.objects.filter(policy=entity),
    }
    if sort not in queries:
        return None
    rows = queries[sort].filter(pk__in=pks).select_related("document").in_bulk()
    if len(rows) != len(set(pks)):
        return None
    old, new = rows[pks[0]], rows[pks[1]]
    titles = {
        "state": "Metadata" if entity.kind == Kind.SAML_PROVIDER else "Trust policy",
        "inline": f"Inline policy {getattr(new, 'name', '')}",
        "version": "Versions",
    }
    return TwoDocuments(
        title=titles[sort],
        old=old.document.text,
        new=new.document.text,
        old_from=old.valid_from,
        new_from=new.valid_from,
        old_name=getattr(old, "version_id", ""),
        new_name=getattr(new, "version_id", ""),
    )
