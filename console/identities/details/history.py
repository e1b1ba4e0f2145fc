"""The history tab: what changed, between which syncs, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import Any, Final

from django.db.models import Q
from django.http import HttpResponse
from django.urls import reverse

from console.activity.calls_behind import UNKNOWN_CALLS, calls_behind
from console.identities.details.causes import UNKNOWN, CauseLine, causes
from console.identities.details.frame import SECTIONS, ShownEntity, frame_of, render_shown
from console.web.access import ViewerRequest
from console.web.middleware import parse_moment
from console.web.moments import to_local
from console.web.render import render_page
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.entities import OpenableEntities
from iam.mirror.queries.history import timeline, two_documents
from iam.mirror.queries.history_events import BECAME, BEGAN, ENDED, EventTopic, HistoryEvent, NamedEntity
from iam.mirror.queries.lists.freshness import was_unknown
from iam.mirror.queries.moments import change_moments, just_after

TONES = {BEGAN: "ok", ENDED: "bad", BECAME: ""}
EVENT_ICONS: Final = {
    EventTopic.DELETED: "minus",
    EventTopic.FIRST_SYNCED: "eye",
    EventTopic.CREATED: "plus",
    EventTopic.CHANGED: "pencil",
    EventTopic.POLICY: "scroll-text",
    EventTopic.GROUP: "users",
    EventTopic.BOUNDARY: "shield",
    EventTopic.INSTANCE_PROFILE: "server",
    EventTopic.DEFAULT_VERSION: "flag",
    EventTopic.TAGS: "tag",
    EventTopic.MFA_DEVICE: "smartphone",
    EventTopic.CREDENTIAL: "key-round",
    EventTopic.CERTIFICATE: "file-text",
    EventTopic.SIGN_IN: "lock",
}
PREVIEW_NAMES = 8
BARS, BAR_STEP, BAR_HEIGHT = 60, 4, 28
MOMENTS_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class NameLink:
    """A name, with the address of its page if the viewer can open it."""

    name: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """An event for the page: `names` are links, and `hidden` counts further or hidden names."""

    event: HistoryEvent
    tone: str
    names: list[NameLink]
    hidden: str
    at: datetime
    cause: CauseLine

    @property
    def icon(self) -> str:
        """The icon of the event's topic."""
        return EVENT_ICONS[self.event.topic]

    @property
    def plain(self) -> str:
        """The sentence without links, for a list of moments."""
        named = ", ".join(link.name for link in self.names)
        return " ".join(part for part in (self.event.lead, named, self.hidden, self.event.tail) if part)


def render_history(
    request: ViewerRequest,
    shown: ShownEntity,
    template: str,
    head: Callable[..., dict[str, Any]],
    *,
    here: str,
) -> HttpResponse:
    """Render the page with its history tab; `head` returns the context above the tabs."""
    if shown.state is None:
        return render_gone(request, shown)
    context = head(shown, here=here) | history_context(request, shown) | {"tab": "identities/history.html"}
    return render_shown(request, shown, template, context)


def render_gone(request: ViewerRequest, shown: ShownEntity) -> HttpResponse:
    """Render the history of an entity that doesn’t exist at the moment."""
    context = frame_of(request, shown) | history_context(request, shown)
    context["unknown"] = bool(shown.at and was_unknown(shown.entity, at=shown.at))
    return render_page(request, "identities/gone_history.html", context)


def history_context(request: ViewerRequest, shown: ShownEntity) -> dict[str, Any]:
    """Return a page of the timeline, the changes since the shown moment, and two documents if requested."""
    entity, at = shown.entity, shown.at
    asked = parse_moment(request.GET.get("before", ""))
    ends = [moment for moment in (asked, at + timedelta(microseconds=1) if at else None) if moment]
    until = min(ends) if ends else None
    past = timeline(entity, until=until)
    later = timeline(entity, since=at) if at else None
    events = [*past.events, *(later.events if later else [])]
    others = chain.from_iterable(event.others for event in events)
    open_to = shown.openable({named.pk for named in others})
    every = lines_of(events, shown=shown, open_to=open_to)
    lines = every[: len(past.events)]
    return {
        "lines": lines,
        "days": [
            (day, list(of_day))
            for day, of_day in groupby(lines, key=lambda line: to_local(line.event.when).date())
        ],
        "moments": _moments(lines),
        "older": past.older.isoformat() if past.older else "",
        "is_cut": past.is_cut,
        "later": every[len(past.events) :],
        "later_more": bool(later and later.older),
        "bars": _bars(entity, at=at),
        "documents": two_documents(entity, token=request.GET.get("diff", "")),
        "compare_url": f"{reverse('identities:compare')}?entity={entity.pk}",
    }


def lines_of(
    events: Iterable[HistoryEvent], *, shown: ShownEntity, open_to: OpenableEntities
) -> list[HistoryLine]:
    """Return events with the links, names and causes that the viewer can see. Takes at most five queries."""
    events = list(events)
    known = causes(((event.cause_kind, event.cause_id) for event in events), viewer=shown.viewer)
    recorded = calls_behind(events, shown.entity, viewer=shown.viewer)
    lines = []
    for place, event in enumerate(events):
        cause = CauseLine(calls=recorded.get(place, UNKNOWN_CALLS))
        if event.cause_id:
            cause = known.get(event.cause_id, UNKNOWN)
        lines.append(_line(event, open_to=open_to, cause=cause))
    return lines


def _line(event: HistoryEvent, *, open_to: OpenableEntities, cause: CauseLine) -> HistoryLine:
    shown = [named for named in event.others if named.kind != Kind.USER or named.pk in open_to]
    outside, more = len(event.others) - len(shown), max(0, len(shown) - PREVIEW_NAMES)
    hidden = [f"and {more} more"] if more else []
    if outside:
        people = "somebody" if outside == 1 else f"{outside} people"
        hidden.append(f"{'and ' if shown else ''}{people} outside your teams")
    return HistoryLine(
        event=event,
        tone=TONES.get(event.sign, ""),
        names=[_link(named, open_to) for named in shown[:PREVIEW_NAMES]],
        hidden=", ".join(hidden),
        at=just_after(event.when),
        cause=cause,
    )


def _link(named: NamedEntity, open_to: OpenableEntities) -> NameLink:
    if named.kind not in SECTIONS or named.pk not in open_to:
        return NameLink(named.name)
    return NameLink(named.name, reverse(SECTIONS[named.kind][2], args=[named.pk]))


def _moments(lines: list[HistoryLine]) -> list[tuple[int, list[HistoryLine]]]:
    """Return the first line of each moment, by year."""
    firsts = [next(of_one) for _, of_one in groupby(lines, key=lambda line: line.event.when)]
    return [(year, list(of_year)) for year, of_year in groupby(firsts, key=lambda line: line.event.when.year)]


def _bars(entity: Entity, *, at: datetime | None) -> list[tuple[int, int, int, str]]:
    """Return (x, y, height, class) of the number of changes in each sixtieth of the known time."""
    now = datetime.now(tz=UTC)
    span = (now - entity.first_seen).total_seconds()
    if span <= 0:
        return []
    counts = [0] * BARS
    newest = change_moments(entity, when=Q()).order_by("-when")[:MOMENTS_COUNTED]
    for row in newest:
        counts[_bar(row["when"], entity=entity, span=span)] += 1
    most, shown = max(counts), _bar(at, entity=entity, span=span) if at else -1
    bars = []
    for place, count in enumerate(counts):
        height = max(4, round(BAR_HEIGHT * count / most)) if count else 0
        if height or place == shown:
            height = height or 2
            bars.append((place * BAR_STEP, 32 - height, height, "on" if place == shown else ""))
    return bars


def _bar(moment: datetime, *, entity: Entity, span: float) -> int:
    share = (moment - entity.first_seen).total_seconds() / span
    return min(BARS - 1, max(0, int(share * BARS)))
