"""Who made a difference that no change of Gatehouse explains: the calls behind it, as pages name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from console.activity.lines import CallerLink, caller_links, event_address
from iam.activity.made_changes import DifferenceWindow, calls_within, distinct_calls
from iam.activity.models import TrailEvent
from iam.guard import Right, Viewer
from iam.mirror.models import Entity
from iam.mirror.queries.history_events import HistoryEvent

CALLS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class CallBehind:
    """A call that made a difference: who, with what, and its page."""

    caller: CallerLink
    action: str
    tool: str
    url: str


def calls_behind(
    events: Sequence[HistoryEvent], entity: Entity, *, viewer: Viewer
) -> dict[int, tuple[CallBehind, ...]]:
    """The calls behind those events of an entity that have no known cause, by the event's place; empty for
    viewers who do not see the account whole, since calls name others. One query, and three more if there are
    calls.
    """
    account_id = entity.account.account_id
    if not viewer.may(Right.SEE_ACCOUNT, account_id=account_id):
        return {}
    windows: dict[int, DifferenceWindow] = {}
    for place, event in enumerate(events):
        window = _window(event, entity)
        if window is not None:
            windows[place] = window
    all_calls = calls_within(account_id, list(windows.values()))
    shown: dict[int, list[TrailEvent]] = {}
    for place, calls in zip(windows, all_calls, strict=True):
        if calls:
            shown[place] = distinct_calls(calls)[:CALLS_SHOWN]
    if not shown:
        return {}
    links = caller_links(call.caller for call in chain.from_iterable(shown.values()))
    return {place: tuple(_behind(call, links) for call in calls) for place, calls in shown.items()}


def _window(event: HistoryEvent, entity: Entity) -> DifferenceWindow | None:
    """The readings between which it arose; None for what the first reading found, or a change explains."""
    if event.after is None or event.cause_id:
        return None
    others = frozenset((other.kind, other.name) for other in event.others)
    return DifferenceWindow((entity.kind, entity.name), others, event.after, event.when)


def _behind(call: TrailEvent, links: dict[int, CallerLink]) -> CallBehind:
    return CallBehind(links[call.caller_id], f"iam:{call.action}", call.tool, event_address(call))
