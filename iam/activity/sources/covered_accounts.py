"""Finds the accounts for which all events of a period are known, except for delivery delays."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from django.db.models import OuterRef, Subquery

from iam.activity.models import TrailEvent
from iam.activity.sources.coverage import spans_by_account
from iam.mirror.models import Account

GAP: Final = timedelta(days=1)
"""Tolerated gap at the beginning, at the end, or within the period, because trails deliver late."""


def covered_accounts(account_ids: Collection[str], *, since: datetime, now: datetime) -> frozenset[str]:
    """Return the connected accounts whose events are known from `since` until now, with two queries."""
    events = TrailEvent.objects.filter(account_id=OuterRef("account_id"))
    rows = Account.objects.filter(account_id__in=account_ids).annotate(
        first=Subquery(events.order_by("at").values("at")[:1]),
        last=Subquery(events.order_by("-at").values("at")[:1]),
    )
    covered = set[str]()
    for account_id, first, last in rows.values_list("account_id", "first", "last"):
        if first and last and first <= since + GAP and last >= now - 2 * GAP:
            covered.add(account_id)
    for account_id, places in spans_by_account(covered).items():
        missing = chain.from_iterable(place.missing for place in places)
        if any(span.end > since and span.end - span.start > GAP for span in missing):
            covered.discard(account_id)
    return frozenset(covered)
