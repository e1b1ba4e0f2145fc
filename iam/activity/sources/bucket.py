"""Reads the log files of a trail's bucket: it lists them from a high-water mark per account and Region,
stores them in batches, and lists the last days again for late files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from iam.activity.ingest import DeliveredFile, content_digest, ingest
from iam.activity.models import TrailFile
from iam.activity.sources.keys import (
    FOLDER_LOGS,
    ORGANIZATION,
    LogKey,
    day_folder,
    is_account,
    is_region,
    key_digest,
    log_key,
)
from iam.activity.sources.models import SourceFile, SourcePlace, SpanBasis, TrailSource
from iam.activity.sources.spans import note_read
from iam.activity.storage import known_files
from iam.activity.trail_files import FILE_LIMIT, TrailFileError, inflated
from iam.aws.errors import AwsError
from iam.aws.reads.trail_bucket import list_page, read_object
from iam.aws.session import Aws
from iam.batches import batches

SOURCE: Final = "bucket"
FILES_AT_ONCE: Final = 200
BYTES_AT_ONCE: Final = 8 * 1024 * 1024
DELIVERY_DELAY: Final = timedelta(minutes=20)
"""CloudTrail delivers a log file within about five minutes of the calls, sometimes later."""
LATE_DAYS: Final = 2
LATE_EVERY: Final = timedelta(hours=1)
FIND_EVERY: Final = timedelta(hours=6)
UNREADABLE: Final = {
    "NoSuchKey": "The file was deleted before it could be read.",
    "InvalidObjectState": "The file is archived (S3 Glacier). Restore it in S3, and upload it here.",
}
"""AWS's error codes for a single file, which a retry would return again."""


@dataclass(slots=True)
class RunBudget:
    """The limits of a run. `files` and `stored` count what it did."""

    files_left: int
    deadline: datetime
    files: int = 0
    stored: int = 0
    quarantined: list[str] = field(default_factory=list)

    def keep_lease(self, source: TrailSource) -> None:
        """Extend the source's lease, so that no other worker starts a run."""
        until = timezone.now() + timedelta(seconds=settings.CHANGE_LEASE)
        TrailSource.objects.filter(pk=source.pk, lease_until__isnull=False).update(lease_until=until)

    @property
    def is_spent(self) -> bool:
        """True if the run must end."""
        return self.files_left <= 0 or timezone.now() >= self.deadline


def read_bucket(source: TrailSource, aws: Aws, budget: RunBudget) -> None:
    """Read the new log files of a bucket, starting with the places that waited longest. Raises AwsError."""
    find_places(source, aws)
    now = timezone.now()
    for place in source.places.exclude(folder="").order_by(F("visited_at").asc(nulls_first=True), "pk"):
        if budget.is_spent:
            return
        if source.queue_url and place.visited_at is not None and now - place.visited_at < LATE_EVERY:
            # A queue names new files. The listing only finds those whose message was lost.
            continue
        _read_place(source, place, aws, budget)
        SourcePlace.objects.filter(pk=place.pk).update(visited_at=timezone.now())


def find_places(source: TrailSource, aws: Aws) -> None:
    """Find the accounts and Regions in the bucket every few hours, because new ones appear without notice."""
    now = timezone.now()
    if source.found_at is not None and now - source.found_at < FIND_EVERY and source.places.exists():
        return
    root = f"{source.prefix}AWSLogs/"
    for account_folder in _account_folders(source, aws, root):
        account_id = account_folder.rstrip("/").rpartition("/")[2]
        for folder in _folders(source, aws, f"{account_folder}{FOLDER_LOGS}/"):
            region = folder.rstrip("/").rpartition("/")[2]
            if is_region(region):
                SourcePlace.objects.get_or_create(
                    source=source, account_id=account_id, region=region, folder=folder
                )
    TrailSource.objects.filter(pk=source.pk).update(found_at=now)


def _account_folders(source: TrailSource, aws: Aws, root: str) -> Iterator[str]:
    """Yield the folders of accounts, including those below an organization's folder."""
    for folder in _folders(source, aws, root):
        name = folder.rstrip("/").rpartition("/")[2]
        if is_account(name):
            yield folder
        elif ORGANIZATION.fullmatch(name):
            inside = _folders(source, aws, folder)
            yield from (below for below in inside if is_account(below.rstrip("/").rpartition("/")[2]))


def _folders(source: TrailSource, aws: Aws, prefix: str) -> list[str]:
    """Return the folders directly below a prefix."""
    folders: list[str] = []
    after = ""
    while True:
        page = list_page(
            aws, bucket=source.bucket, region=source.region, prefix=prefix, after=after, one_level=True
        )
        folders.extend(page.folders)
        if page.is_last or not page.folders:
            return folders
        # All keys in the last folder sort before this one.
        after = f"{page.folders[-1]}\U0010ffff"


def _read_place(source: TrailSource, place: SourcePlace, aws: Aws, budget: RunBudget) -> None:
    """Read from the high-water mark to the end, then the late files of the last days."""
    while not budget.is_spent:
        listed_at = timezone.now()
        after = place.after or day_folder(place.folder, source.since)
        page = list_page(aws, bucket=source.bucket, region=source.region, prefix=place.folder, after=after)
        keys = [key for listed in page.objects if (key := log_key(listed.key)) is not None]
        for part in batches(keys, FILES_AT_ONCE):
            if budget.is_spent:
                return
            read_files(source, part, aws, budget)
            _advance(place, part)
        if page.objects and not budget.is_spent:
            SourcePlace.objects.filter(pk=place.pk).update(after=page.objects[-1].key)
            place.after = page.objects[-1].key
        if page.is_last:
            _note_listed(place, listed_at - DELIVERY_DELAY)
            break
    _read_late(source, place, aws, budget)


def _advance(place: SourcePlace, read: Sequence[LogKey]) -> None:
    """Record that these files are stored, so that the next listing begins after them."""
    last = read[-1]
    place.after = last.key
    if place.read_from is None:
        place.read_from = read[0].at
    place.read_until = max(place.read_until or last.at, last.at)
    place.save(update_fields=["after", "read_from", "read_until"])
    note_read(place.account_id, place.region, SpanBasis.LISTING, place.read_from, place.read_until)


def _note_listed(place: SourcePlace, until: datetime) -> None:
    """Record that everything up to a time was read, because the bucket has no further files. A place without
    any files so far is skipped.
    """
    if place.read_from is not None and (place.read_until is None or until > place.read_until):
        SourcePlace.objects.filter(pk=place.pk).update(read_until=until)
        note_read(place.account_id, place.region, SpanBasis.LISTING, place.read_from, until)


def _read_late(source: TrailSource, place: SourcePlace, aws: Aws, budget: RunBudget) -> None:
    """List the last days again at intervals, and read the files that were not there before."""
    now = timezone.now()
    if budget.is_spent or (place.late_at is not None and now - place.late_at < LATE_EVERY):
        return
    first = max(source.since, (now - timedelta(days=LATE_DAYS)).date())
    after = day_folder(place.folder, first)
    while True:
        page = list_page(aws, bucket=source.bucket, region=source.region, prefix=place.folder, after=after)
        keys = [key for listed in page.objects if (key := log_key(listed.key)) is not None]
        late = unread(source, [key for key in keys if key.key <= place.after])
        for part in batches(late, FILES_AT_ONCE):
            if budget.is_spent:
                return
            read_files(source, part, aws, budget)
        if page.is_last or not page.objects or page.objects[-1].key >= place.after:
            break
        after = page.objects[-1].key
    SourcePlace.objects.filter(pk=place.pk).update(late_at=now)


def unread(source: TrailSource, keys: Sequence[LogKey]) -> list[LogKey]:
    """Return which of the files were not read before."""
    unread_keys: list[LogKey] = []
    for batch in batches(keys, FILES_AT_ONCE):
        chunk = {key_digest(key.key): key for key in batch}
        files = SourceFile.objects.filter(source=source, key_digest__in=list(chunk))
        for digest in files.values_list("key_digest", flat=True):
            chunk.pop(digest, None)
        unread_keys += chunk.values()
    return unread_keys


def read_files(source: TrailSource, keys: Iterable[LogKey], aws: Aws, budget: RunBudget) -> None:
    """Read and store these files, a few megabytes at a time. Missing files are recorded. Raises AwsError for
    other failures, so that the file is retried.
    """
    batch: list[tuple[LogKey, bytes]] = []
    size = 0
    for key in keys:
        try:
            read = read_object(
                aws, bucket=source.bucket, region=source.region, key=key.key, limit=FILE_LIMIT + 1
            )
        except AwsError as error:
            problem = UNREADABLE.get(error.code)
            if problem is None:
                raise
            _note_files(source, [_file_row(source, key, problem=problem)])
            continue
        batch.append((key, read.content))
        size += len(read.content)
        if size >= BYTES_AT_ONCE:
            _store(source, batch, budget)
            batch, size = [], 0
    _store(source, batch, budget)


def _store(source: TrailSource, batch: Sequence[tuple[LogKey, bytes]], budget: RunBudget) -> None:
    """Store the events first, then record that the files were read. If a worker dies in between, they are
    read again, which changes nothing.
    """
    if not batch:
        return
    budget.keep_lease(source)
    names = [DeliveredFile(f"s3://{source.bucket}/{key.key}", content) for key, content in batch]
    report = ingest(names, SOURCE)
    rows = known_files([content_digest(content) for _, content in batch])
    files = [_file_row(source, key, content=content, trail_file=rows) for key, content in batch]
    _note_files(source, files)
    budget.files += len(batch)
    budget.files_left -= len(batch)
    budget.stored += report.stored
    budget.quarantined.extend(file.key for file in files if file.problem)


def _file_row(
    source: TrailSource,
    key: LogKey,
    *,
    content: bytes | None = None,
    trail_file: dict[str, TrailFile] | None = None,
    problem: str = "",
) -> SourceFile:
    sha256 = ""
    if content is not None and trail_file is not None:
        problem = trail_file[content_digest(content)].reason
        try:
            sha256 = hashlib.sha256(inflated(content)).hexdigest()
        except TrailFileError:
            sha256 = ""
    return SourceFile(
        source=source,
        key_digest=key_digest(key.key),
        key=key.key,
        account_id=key.account_id,
        region=key.region,
        at=key.at,
        sha256=sha256,
        problem=problem[:256],
        read_at=timezone.now(),
    )


def _note_files(source: TrailSource, files: Sequence[SourceFile]) -> None:
    SourceFile.objects.bulk_create(
        files,
        update_conflicts=True,
        unique_fields=["source", "key_digest"],
        update_fields=["sha256", "problem", "read_at"],
    )
