"""Reads CloudTrail's event history (`LookupEvents`) where there is no trail: forward to now and back to 90
days, in slices, per Region, at AWS's rate of two requests a second.

A slice is stored before the place records that it was read. If a run is interrupted, the next one requests
the same slice again, and events are stored once.
"""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from iam.activity.ingest import DeliveredFile, ingest
from iam.activity.sources.bucket import DELIVERY_DELAY, RunBudget
from iam.activity.sources.models import SourcePlace, SpanBasis, TrailSource
from iam.activity.sources.spans import note_read
from iam.aws.partitions import global_region
from iam.aws.reads.instances import enabled_regions
from iam.aws.reads.trail_events import LOOKUP_DAYS, lookup_page
from iam.aws.session import Aws
from iam.mirror.models import EntityState, Kind, valid_at

SOURCE: Final = "history"
SECONDS_BETWEEN: Final = 0.5
PAGES_OF_PLACE: Final = 120
"""Maximum number of requests per Region and run, a minute's worth."""
OVERLAP: Final = timedelta(minutes=20)
LONGEST_SLICE: Final = timedelta(days=7)
SHORTEST_SLICE: Final = timedelta(minutes=1)


def read_history(source: TrailSource, aws: Aws, budget: RunBudget) -> None:
    """Read forward to now, then further back, in each Region in use. Raises AwsError."""
    for region in regions_of(source, aws):
        SourcePlace.objects.get_or_create(
            source=source, account_id=source.account.account_id, region=region, folder=""
        )
    for place in source.places.order_by(F("visited_at").asc(nulls_first=True), "pk"):
        if budget.is_spent:
            return
        _read_place(source, place, aws, budget)
        SourcePlace.objects.filter(pk=place.pk).update(visited_at=timezone.now())


def regions_of(source: TrailSource, aws: Aws) -> list[str]:
    """Return the Region of global services and the Regions in use: those of the setting, and those with EC2
    instances.
    """
    wanted: list[str] = settings.INSTANCE_REGIONS
    chosen = set(wanted)
    if wanted == ["all"]:
        chosen = set(enabled_regions(aws))
    rows = EntityState.objects.filter(valid_at(None), account=source.account, kind=Kind.INSTANCE)
    used = {arn.split(":")[3] for arn in rows.values_list("arn", flat=True)}
    return sorted(chosen | used | {global_region(aws.access.partition), aws.home_region})


def _read_place(source: TrailSource, place: SourcePlace, aws: Aws, budget: RunBudget) -> None:
    now = timezone.now() - DELIVERY_DELAY
    if place.read_until is None or place.read_from is None:
        place.read_until = place.read_from = now
    pages = PAGES_OF_PLACE
    while pages > 0 and not budget.is_spent:
        length = timedelta(seconds=place.slice_seconds)
        is_forward = place.read_until < now
        if is_forward:
            start, end = place.read_until, min(place.read_until + length, now)
        else:
            start, end = max(place.read_from - length, _oldest(source)), place.read_from
        if end <= start:
            break
        asked_from = start - OVERLAP if is_forward else start
        used, is_whole = _read_slice(place, asked_from, end, aws, budget, pages)
        pages -= used
        if is_whole or length <= SHORTEST_SLICE:
            place.read_from, place.read_until = min(place.read_from, start), max(place.read_until, end)
        # If more calls happen in a minute than AWS returns in a minute, the backlog can't be read: the gap
        # remains.
        if is_whole:
            note_read(place.account_id, place.region, SpanBasis.HISTORY, start, end)
        # The few minutes since the last run don't show how long a slice can be.
        if not is_whole or end - start >= length:
            place.slice_seconds = _next_slice(length, used, is_whole=is_whole)
        place.save(update_fields=["read_from", "read_until", "slice_seconds"])


def _oldest(source: TrailSource) -> datetime:
    """Return how far back to read, with a margin, because AWS counts 90 days to the second."""
    first = timezone.make_aware(datetime.combine(source.since, datetime.min.time()))
    return max(first, timezone.now() - timedelta(days=LOOKUP_DAYS) + timedelta(hours=1))


def _next_slice(length: timedelta, used: int, *, is_whole: bool) -> int:
    """Return the length of the next slice: longer if little happens, shorter if a slice can't be read in one
    run.
    """
    if not is_whole:
        length = max(length / 4, SHORTEST_SLICE)
    elif used <= 2:
        length = min(length * 2, LONGEST_SLICE)
    return int(length.total_seconds())


def _read_slice(
    place: SourcePlace, start: datetime, end: datetime, aws: Aws, budget: RunBudget, pages: int
) -> tuple[int, bool]:
    """Store the events of a slice. Returns the number of requests, and whether it was read to its end."""
    token = ""
    for used in range(1, pages + 1):
        page = lookup_page(aws, region=place.region, start=start, end=end, token=token)
        time.sleep(SECONDS_BETWEEN)
        budget.keep_lease(place.source)
        if page.records:
            events = [{"CloudTrailEvent": record} for record in page.records]
            name = f"history:{place.account_id}/{place.region}/{end:%Y-%m-%dT%H:%M:%S}/{used}"
            report = ingest([DeliveredFile(name, json.dumps({"Events": events}).encode())], SOURCE)
            budget.files += 1
            budget.stored += report.stored
            budget.quarantined.extend(file for file, _ in report.quarantined)
        token = page.token
        if not token:
            return used, True
        if budget.is_spent:
            return used, False
    return pages, False
