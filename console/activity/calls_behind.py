"""Finds the recorded calls that caused a difference which no change of Gatehouse explains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from console.activity.lines import CallerLink, caller_links, event_address
from iam.activity.made_changes import DifferenceWindow, calls_within, distinct_calls
from iam.activity.models import TrailEvent
from iam.changes.own_calls import own_events
from iam.guard import Right, Viewer
from iam.mirror.models import Entity
from iam.mirror.queries.history_events import HistoryEvent

CALLS_SHOWN: Final = 5
"""Maximum number of calls shown for a row of a list."""


@dataclass(frozen=True, slots=True)
class CallBehind:
    """A call that caused a difference: caller, tool, and page."""

    caller: CallerLink
    action: str
    tool: str
    url: str

    @property
    def caller_and_tool(self) -> tuple[str, str, str]:
        """The caller's name and page, and the tool; calls that agree in these share a sentence."""
        return (self.caller.name, self.caller.url, self.tool)


@dataclass(frozen=True, slots=True)
class CallsBehind:
    """The newest calls that caused a difference, in chronological order, and the number of further ones. It
    is false if no call is known.
    """

    shown: tuple[CallBehind, ...] = ()
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.shown)


UNKNOWN_CALLS: Final = CallsBehind()


@dataclass(frozen=True, slots=True)
class LineDifferences:
    """The unexplained differences of a line in a list, in one account."""

    account_id: str
    windows: Sequence[DifferenceWindow]

    @classmethod
    def of(cls, account_id: str, entity: Entity, events: Iterable[HistoryEvent]) -> LineDifferences:
        """Return the differences of an entity. Those that the first sync found or that a change explains are
        left out.
        """
        windows = []
        for event in events:
            if event.after is not None and not event.cause_id:
                others = frozenset((other.kind, other.name) for other in event.others)
                subject = (entity.kind, entity.name)
                windows.append(DifferenceWindow(subject, others, event.after, event.when))
        return cls(account_id, windows)


def calls_behind(events: Sequence[HistoryEvent], entity: Entity, *, viewer: Viewer) -> dict[int, CallsBehind]:
    """Return the calls that caused unexplained events of an entity, by the event's index; see
    `calls_behind_each`.
    """
    number = entity.account.account_id
    lines = [LineDifferences.of(number, entity, [event]) for event in events]
    calls = calls_behind_each(lines, viewer=viewer)
    return {place: of_event for place, of_event in enumerate(calls) if of_event}


def calls_behind_each(
    lines: Sequence[LineDifferences], *, viewer: Viewer, most: int = CALLS_SHOWN
) -> list[CallsBehind]:
    """Return the calls that caused each line's differences, up to `most` per line.

    Empty for viewers who don’t see the whole account, since calls name other people. Gatehouse's own calls
    are never included. Takes one query, and four more if there are calls.
    """
    windows: list[tuple[str, DifferenceWindow]] = []
    places: list[int] = []
    for place, line in enumerate(lines):
        if not viewer.may(Right.SEE_ACCOUNT, account_id=line.account_id):
            continue
        for window in line.windows:
            windows.append((line.account_id, window))
            places.append(place)
    calls_by_window = calls_within(windows)
    own = own_events(list(chain.from_iterable(calls_by_window)))
    calls_by_place: dict[int, list[TrailEvent]] = {}
    for place, calls in zip(places, calls_by_window, strict=True):
        others = [call for call in calls if call.event_id not in own]
        calls_by_place.setdefault(place, []).extend(others)
    distinct = {place: distinct_calls(calls) for place, calls in calls_by_place.items()}
    shown = {place: calls[:most] for place, calls in distinct.items()}
    behind = [UNKNOWN_CALLS] * len(lines)
    if not any(shown.values()):
        return behind
    links = caller_links(call.caller for call in chain.from_iterable(shown.values()))
    for place, calls in shown.items():
        in_order = sorted(calls, key=lambda call: call.at)
        linked = tuple(_behind(call, links) for call in in_order)
        behind[place] = CallsBehind(linked, len(distinct[place]) - len(calls))
    return behind


def _behind(call: TrailEvent, links: dict[int, CallerLink]) -> CallBehind:
    return CallBehind(links[call.caller_id], f"iam:{call.action}", call.tool, event_address(call))
