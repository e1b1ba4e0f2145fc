"""Finds the CloudTrail records of calls that Gatehouse made, by the request ID in AWS's answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import orjson
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from iam.activity.models import TrailEvent

AROUND: Final = timedelta(minutes=2)
"""The clocks of AWS and of this host differ by less, and CloudTrail writes whole seconds."""
DELIVERED_AFTER: Final = timedelta(minutes=15)
"""CloudTrail delivers most events within about five minutes, and on average within 15. Source: "How
CloudTrail works", https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html
"""
REQUEST_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}\Z")


class RecordState(StrEnum):
    """The state of a call's record."""

    RECORDED = "recorded"
    PENDING = "pending"
    MISSING = "missing"
    NOT_READ = "not-read"
    NOT_KEPT = "not-kept"


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    """A call that AWS answered: its request ID and time."""

    request_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The record of a call. `event` is set if the state is RECORDED."""

    state: RecordState
    event: TrailEvent | None = None


def records_of_calls(account_id: str, calls: Sequence[AnsweredCall]) -> dict[str, CallRecord]:
    """Return the record of each call, by request ID. One query, and a second one if a call has no record."""
    known = [call for call in calls if REQUEST_ID.match(call.request_id)]
    if not known:
        return {}
    events = _recorded(account_id, known)
    records = {number: CallRecord(RecordState.RECORDED, event) for number, event in events.items()}
    missing = [call for call in known if call.request_id not in records]
    if missing:
        newest = _newest(account_id)
        for call in missing:
            records[call.request_id] = CallRecord(_state_without(call, newest))
    return records


def _recorded(account_id: str, calls: Sequence[AnsweredCall]) -> dict[str, TrailEvent]:
    """Return the events with these request IDs. The query relies on records being stored as compact JSON."""
    same = Q()
    for call in calls:
        same |= Q(raw__contains=f'"requestID":"{call.request_id}"')
    moments = [call.at for call in calls]
    rows = TrailEvent.objects.filter(
        same, account_id=account_id, at__gte=min(moments) - AROUND, at__lte=max(moments) + AROUND
    )
    events = rows.select_related("caller").order_by("at", "event_id")
    return {str(orjson.loads(event.raw).get("requestID")): event for event in events}


def _newest(account_id: str) -> datetime | None:
    """Return the time of an account's newest event, or None."""
    rows = TrailEvent.objects.filter(account_id=account_id).order_by("-at")
    return rows.values_list("at", flat=True).first()


def _state_without(call: AnsweredCall, newest: datetime | None) -> RecordState:
    """Return why a call has no record. Events older than the call don't show anything about it."""
    if timezone.now() - call.at < DELIVERED_AFTER:
        return RecordState.NOT_READ if newest is None else RecordState.PENDING
    if newest is None or newest < call.at:
        return RecordState.NOT_READ
    return RecordState.MISSING if settings.ACTIVITY_KEEP_EVENTS else RecordState.NOT_KEPT
