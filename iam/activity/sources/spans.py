"""The periods that were read per account and Region, as spans that grow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from iam.activity.sources.models import ReadSpan, SpanBasis


class TimeSpan(NamedTuple):
    """A period from a time up to another one."""

    start: datetime
    end: datetime


def note_read(account_id: str, region: str, basis: SpanBasis, start: datetime, end: datetime) -> None:
    """Record that everything between two times was read. Adjacent spans are merged."""
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
    """Return the same periods as ordered spans that don't touch."""
    joined: list[TimeSpan] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = TimeSpan(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def missing_between(spans: Iterable[TimeSpan], start: datetime, end: datetime) -> list[TimeSpan]:
    """Return the periods between two times that no span covers."""
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
