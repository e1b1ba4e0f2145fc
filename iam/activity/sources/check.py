"""The test of a source: it reads one file, or one page of the event history, and stores no events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from iam.activity.sources.bucket import find_places
from iam.activity.sources.errors import problem_of
from iam.activity.sources.keys import LogKey, log_key
from iam.activity.sources.models import SourceKind, TrailSource
from iam.activity.sources.queue import queue_region
from iam.activity.trail_files import FILE_LIMIT, TrailFileError, records_of
from iam.aws.errors import AwsError
from iam.aws.partitions import global_region
from iam.aws.reads.trail_bucket import list_page, read_object, receive_messages
from iam.aws.reads.trail_events import lookup_page
from iam.aws.session import Aws
from iam.mirror.pull.reach import UnreachableError, open_account
from iam.phrases import counted


def unchecked_sources() -> list[UUID]:
    """Return the sources with a requested test that was not done."""
    is_open = Q(checked_at__isnull=True) | Q(checked_at__lt=F("check_requested_at"))
    rows = TrailSource.objects.filter(is_open, check_requested_at__isnull=False, removed_at__isnull=True)
    return list(rows.values_list("pk", flat=True))


def check_source(source_id: UUID, *, open_way: Callable[..., Aws] = open_account) -> None:
    """Read one file of a source and record the result. Does nothing if the source was removed."""
    source = TrailSource.objects.select_related("account").filter(pk=source_id).first()
    if source is None:
        return
    try:
        aws = open_way(source.account)
        try:
            text = _look(source, aws)
        finally:
            aws.close()
        result: dict[str, Any] = {"is_ok": True, "text": text, "field": ""}
    except UnreachableError as error:
        result = {"is_ok": False, "text": str(error), "field": "account"}
    except AwsError as error:
        problem = problem_of(error, source)
        result = {"is_ok": False, "text": problem.text, "field": problem.field}
    except TrailFileError as error:
        result = {"is_ok": False, "text": str(error), "field": "bucket"}
    TrailSource.objects.filter(pk=source_id).update(checked_at=timezone.now(), check_result=result)


def _look(source: TrailSource, aws: Aws) -> str:
    if source.kind == SourceKind.HISTORY:
        now = timezone.now()
        region = global_region(aws.access.partition)
        newest = lookup_page(aws, region=region, start=now - timedelta(days=1), end=now)
        events = counted(len(newest.records), "event")
        return f"The history of the last 24 hours in {region} can be read: {events}."
    if source.queue_url:
        # Messages received here are delivered again, because they aren't deleted.
        receive_messages(aws, queue_url=source.queue_url, region=queue_region(source))
    find_places(source, aws)
    places = list(source.places.exclude(folder="").order_by("account_id", "region"))
    if not places:
        list_page(aws, bucket=source.bucket, region=source.region, prefix=f"{source.prefix}AWSLogs/")
        raise TrailFileError(
            f"The bucket has no folder {source.prefix}AWSLogs/…/CloudTrail/. Check the prefix, or "
            "wait for the trail’s first file."
        )
    newest_key: LogKey | None = None
    for place in places:
        page = list_page(aws, bucket=source.bucket, region=source.region, prefix=place.folder)
        keys = [key for listed in page.objects if (key := log_key(listed.key)) is not None]
        if keys:
            newest_key = keys[-1]
            break
    accounts = len({place.account_id for place in places})
    regions = len({place.region for place in places})
    extent = f"{counted(accounts, 'account')} in {counted(regions, 'Region')}"
    if newest_key is None:
        return f"The bucket has folders of {extent}, without a log file so far."
    read = read_object(
        aws, bucket=source.bucket, region=source.region, key=newest_key.key, limit=FILE_LIMIT + 1
    )
    events = counted(len(records_of(read.content)), "event")
    return f"The bucket has log files of {extent}. The one that was tried, {newest_key.key}, has {events}."
