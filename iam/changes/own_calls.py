"""Recognizes CloudTrail events that changes of Gatehouse caused, since these don't explain other
differences.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models import Q

from iam.activity.call_records import AROUND
from iam.activity.models import TrailEvent
from iam.changes.models import Change

MAX_RETRY: Final = timedelta(days=1)
"""The maximum time between the first and last call of one change, including retries."""
MAX_SPANS: Final = 50
"""The maximum number of periods to look up separately; later ones are joined."""
Span = tuple[datetime, datetime]


@dataclass(slots=True)
class _SentCalls:
    """The calls that changes sent in an account: request IDs, and times by action for calls whose answer was
    lost.
    """

    request_ids: set[str] = field(default_factory=set)
    times: dict[str, list[datetime]] = field(default_factory=dict)
    unanswered: dict[str, list[datetime]] = field(default_factory=dict)

    def includes(self, event: TrailEvent) -> bool:
        """True if one of the calls is this event.

        If the request ID was lost, a call of the same action around that time counts as the event: an unknown
        cause misleads nobody, but a wrong one does.
        """
        if not event.raw:
            return _is_around(self.times, event)
        request_id = orjson.loads(event.raw).get("requestID")
        return request_id in self.request_ids or _is_around(self.unanswered, event)


def own_events(events: Collection[TrailEvent]) -> set[UUID]:
    """The IDs of those events that are calls of changes. One query; none without events."""
    if not events:
        return set()
    sent = Q()
    for low, high in _spans(event.at for event in events):
        sent |= Q(sent_at__gte=low, sent_at__lte=high + MAX_RETRY, created_at__lte=high)
    rows = Change.objects.filter(sent, account__account_id__in={event.account_id for event in events})
    by_account: dict[str, _SentCalls] = {}
    for number, calls, request_ids, sent_at in rows.values_list(
        "account__account_id", "calls", "request_ids", "sent_at"
    ):
        of_account = by_account.setdefault(number, _SentCalls())
        of_account.request_ids.update(request_ids)
        if sent_at is not None:
            _note(of_account, calls, sent_at)
    own: set[UUID] = set()
    for event in events:
        sent_there = by_account.get(event.account_id)
        if sent_there is not None and sent_there.includes(event):
            own.add(event.event_id)
    return own


def _note(sent: _SentCalls, calls: Iterable[dict[str, Any]], sent_at: datetime) -> None:
    for call in calls:
        at = call.get("at")
        if not at and not call.get("in_doubt"):
            continue
        moment = datetime.fromisoformat(at) if at else sent_at
        action = f"{call['service']}:{call['operation']}"
        sent.times.setdefault(action, []).append(moment)
        if call.get("request_id"):
            sent.request_ids.add(call["request_id"])
        else:
            sent.unanswered.setdefault(action, []).append(moment)


def _is_around(times: dict[str, list[datetime]], event: TrailEvent) -> bool:
    moments = times.get(f"{event.service}:{event.action}", ())
    return any(abs(moment - event.at) <= AROUND for moment in moments)


def _spans(moments: Iterable[datetime]) -> list[Span]:
    """The periods around these times; overlapping ones are joined."""
    spans: list[Span] = []
    for moment in sorted(moments):
        low, high = moment - AROUND, moment + AROUND
        if spans and (low <= spans[-1][1] or len(spans) == MAX_SPANS):
            spans[-1] = (spans[-1][0], high)
        else:
            spans.append((low, high))
    return spans
