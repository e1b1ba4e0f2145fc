"""Which time of an account and Region was read: spans that grow as more is read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from iam.activity.sources.models import ReadSpan, SpanBasis


class TimeSpan(NamedTuple):
    """A time from a moment up to another one."""

    start: datetime
    end: datetime


def note_read(account_id: str, region: str, basis: SpanBasis, start: datetime, end: datetime) -> None:
    """Everything between two moments was read. Spans that it touches become one with it."""
    if end <= start:
        return
    with transaction.atomic():
        rows = ReadSpan.objects.select_for_update().filter(
            account_id=account_id, region=region, basis=basis, start__lte=end, end__gte=start
        )
        touched = list(rows.order_by("pk"))
        for row in touched:
            start, end = min(start, row.start), max(end, row.end)
        if len(touched) == 1:
            ReadSpan.objects.filter(pk=touched[0].pk).update(start=start, end=end)
            return
        ReadSpan.objects.filter(pk__in=[row.pk for row in touched]).delete()
        ReadSpan.objects.create(account_id=account_id, region=region, basis=basis, start=start, end=end)


def merged(spans: Iterable[TimeSpan]) -> list[TimeSpan]:
    """The same time in spans that don't touch each other, in order."""
    joined: list[TimeSpan] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = TimeSpan(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def missing_between(spans: Iterable[TimeSpan], start: datetime, end: datetime) -> list[TimeSpan]:
    """The time between two moments that none of the spans covers."""
    missing: list[TimeSpan] = []
    at = start
    for span in merged(spans):
        if span.start > at:
            missing.append(TimeSpan(at, min(span.start, end)))
        at = max(at, span.end)
        if at >= end:
            break
    if at < end:
        missing.append(TimeSpan(at, end))
    return [span for span in missing if span.end > span.start]
