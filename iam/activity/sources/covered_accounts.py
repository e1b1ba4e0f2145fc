"""Finds the accounts whose events of a period are known, except for delivery delays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import Enum
from itertools import chain
from typing import Final

from django.db.models import OuterRef, Subquery

from iam.activity.models import TrailEvent
from iam.activity.sources.coverage import PlaceCoverage, spans_by_account
from iam.activity.sources.models import DigestFile, SourceFile
from iam.activity.sources.spans import merged, missing_between
from iam.mirror.models import Account

GAP: Final = timedelta(days=1)
"""Tolerated gap at the beginning, at the end, or within the period, because trails deliver late."""
MAY_MISS: Final = "some of CloudTrail’s events in this period may be missing"
"""Why a statement that rests on `CoverageGrade.PARTLY_KNOWN` is conditional."""


class CoverageGrade(Enum):
    """How well the events of a period are known."""

    COMPLETE = "complete"
    """All of the period was read from a bucket or from the event history, in each Region."""
    PARTLY_KNOWN = "partly known"
    """Events reach from the beginning to the end, but some may be missing: a part came from a folder or an
    upload, or a file of the bucket couldn’t be read or was altered.
    """


def covered_accounts(
    account_ids: Collection[str], *, since: datetime, now: datetime
) -> dict[str, CoverageGrade]:
    """Return the connected accounts whose events reach from `since` until now without a known gap, and how
    well they are known. At most three queries.
    """
    events = TrailEvent.objects.filter(account_id=OuterRef("account_id"))
    rows = Account.objects.filter(account_id__in=account_ids).annotate(
        first=Subquery(events.order_by("at").values("at")[:1]),
        last=Subquery(events.order_by("-at").values("at")[:1]),
    )
    reaching = set[str]()
    for account_id, first, last in rows.values_list("account_id", "first", "last"):
        if first and last and first <= since + GAP and last >= now - 2 * GAP:
            reaching.add(account_id)
    places = spans_by_account(reaching)
    covered, read = {}, set[str]()
    for account_id in sorted(reaching):
        own = places.get(account_id, [])
        if not _has_gap(own, since):
            covered[account_id] = CoverageGrade.PARTLY_KNOWN
            if own and all(_is_read(place, since, now) for place in own):
                read.add(account_id)
    for account_id in read - _with_problems(read, since):
        covered[account_id] = CoverageGrade.COMPLETE
    return covered


def _has_gap(places: Sequence[PlaceCoverage], since: datetime) -> bool:
    """Return True if a part of the period was not read, although earlier and later events were."""
    missing = chain.from_iterable(place.missing for place in places)
    return any(span.end > since and span.end - span.start > GAP for span in missing)


def _is_read(place: PlaceCoverage, since: datetime, now: datetime) -> bool:
    """Return True if a source was read for the whole period."""
    known = merged([*place.verified, *place.asked, *place.listed])
    return not missing_between(known, since + GAP, now - 2 * GAP)


def _with_problems(account_ids: Collection[str], since: datetime) -> set[str]:
    """Return those of these accounts with files of the period that couldn’t be read or were altered."""
    if not account_ids:
        return set()
    files = SourceFile.objects.filter(account_id__in=account_ids, at__gte=since).exclude(problem="")
    digests = DigestFile.objects.filter(account_id__in=account_ids, end_at__gte=since).exclude(problem="")
    numbers = files.values_list("account_id").union(digests.values_list("account_id"))
    return {account_id for (account_id,) in numbers}
