"""Finds the first successful call of IAM users."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef, Subquery

from iam.activity.callers import USER
from iam.activity.models import TrailCaller, TrailEvent
from iam.mirror.models import Account

SIGN_IN: Final = "signin"
"""The service of console sign-ins, which don't count as calls."""


class FirstCall(NamedTuple):
    """An action, as policies write it, and the time of the call."""

    action: str
    at: datetime


def first_calls(unique_ids: Collection[str]) -> dict[str, FirstCall]:
    """Return each user's first call without an error, by unique ID, with one query."""
    succeeded = TrailEvent.objects.filter(caller=OuterRef("pk"), error_code="").exclude(service=SIGN_IN)
    first = succeeded.order_by("at", "event_id")
    callers = TrailCaller.objects.filter(kind=USER, unique_id__in=unique_ids).annotate(
        at=Subquery(first.values("at")[:1]),
        service=Subquery(first.values("service")[:1]),
        action=Subquery(first.values("action")[:1]),
    )
    calls: dict[str, FirstCall] = {}
    for number, at, service, action in callers.values_list("unique_id", "at", "service", "action"):
        if at is not None:
            call = FirstCall(f"{service}:{action}", at)
            calls[number] = min(call, calls.get(number, call), key=lambda each: each.at)
    return calls


def accounts_with_events(accounts: Collection[int]) -> frozenset[int]:
    """Return which of the accounts (by primary key) have events, with one query."""
    events = TrailEvent.objects.filter(account_id=OuterRef("account_id"))
    rows = Account.objects.filter(Exists(events), pk__in=accounts)
    return frozenset(rows.values_list("pk", flat=True))
