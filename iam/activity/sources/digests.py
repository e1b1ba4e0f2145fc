"""Verifies the digest files of a bucket like `aws cloudtrail validate-logs`: the signature of each, its place
in the chain, and each log file that it names.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from iam.activity.sources.bucket import DELIVERY_DELAY, RunBudget, read_files
from iam.activity.sources.keys import (
    FOLDER_DIGESTS,
    FOLDER_LOGS,
    DigestKeyName,
    day_folder,
    digest_key,
    key_digest,
    log_key,
)
from iam.activity.sources.models import DigestFile, SourceFile, SourcePlace, SpanBasis, TrailSource
from iam.activity.sources.signatures import (
    DigestContent,
    DigestError,
    digest_content,
    link_problem,
    verify_signature,
)
from iam.activity.sources.spans import note_read
from iam.activity.trail_files import FILE_LIMIT, TrailFileError, inflated
from iam.aws.reads.trail_bucket import ReadObject, list_page, read_object
from iam.aws.reads.trail_events import public_keys
from iam.aws.session import Aws
from iam.journal.services import record

EVERY: Final = timedelta(minutes=30)
AT_ONCE: Final = 200
Keys = dict[str, bytes]
"""The requested public keys by fingerprint."""


class NotYetError(Exception):
    """Log files named in a digest file are not read yet."""


def read_digests(source: TrailSource, aws: Aws, budget: RunBudget) -> None:
    """Verify the new digest files of each account and Region. Raises AwsError."""
    for place in source.places.exclude(folder="").exclude(read_until=None).order_by("pk"):
        now = timezone.now()
        if budget.is_spent:
            return
        if place.digest_at is None or now - place.digest_at >= EVERY:
            _read_place(source, place, aws, budget)
            SourcePlace.objects.filter(pk=place.pk).update(digest_at=now)


def _read_place(source: TrailSource, place: SourcePlace, aws: Aws, budget: RunBudget) -> None:
    keys: Keys = {}
    for name in _new_digests(source, place, aws):
        if budget.is_spent:
            return
        try:
            _verify(source, place, name, aws, budget, keys)
        except NotYetError:
            return
        SourcePlace.objects.filter(pk=place.pk).update(digest_after=name.key)


def _new_digests(source: TrailSource, place: SourcePlace, aws: Aws) -> list[DigestKeyName]:
    """Return the unverified digest files by time. The trails of a bucket share a folder, so the day of the
    last one is listed again.
    """
    folder = place.folder.replace(f"/{FOLDER_LOGS}/", f"/{FOLDER_DIGESTS}/")
    last = digest_key(place.digest_after)
    first_day = source.since
    if last is not None:
        first_day = (last.at - timedelta(days=1)).date()
    after = day_folder(folder, first_day)
    names: list[DigestKeyName] = []
    while True:
        page = list_page(aws, bucket=source.bucket, region=source.region, prefix=folder, after=after)
        named = [name for listed in page.objects if (name := digest_key(listed.key)) is not None]
        known = DigestFile.objects.filter(
            source=source, key_digest__in=[key_digest(name.key) for name in named]
        )
        verified = set(known.values_list("key", flat=True))
        names.extend(name for name in named if name.key not in verified)
        if page.is_last or not page.objects or len(names) >= AT_ONCE:
            return sorted(names, key=_time)
        after = page.objects[-1].key


def _time(name: DigestKeyName) -> tuple[object, str]:
    return name.at, name.key


def _verify(
    source: TrailSource, place: SourcePlace, name: DigestKeyName, aws: Aws, budget: RunBudget, keys: Keys
) -> None:
    """Verify a digest file and store the result."""
    row = DigestFile(
        source=source,
        key_digest=key_digest(name.key),
        key=name.key,
        account_id=place.account_id,
        region=place.region,
        start_at=name.at - timedelta(hours=1),
        end_at=name.at,
        checked_at=timezone.now(),
    )
    digest: DigestContent | None = None
    previous = _previous(source, place, name)
    try:
        read = read_object(
            aws, bucket=source.bucket, region=source.region, key=name.key, limit=FILE_LIMIT + 1
        )
        digest = digest_content(inflated(read.content))
        row.start_at, row.end_at, row.sha256 = digest.start_at, digest.end_at, digest.sha256
        row.log_files = len(digest.files)
        row.signature = _checked_signature(digest, read, name, aws, place, keys)
        row.problem = _files_problem(source, place, digest, aws, budget)
    except (DigestError, TrailFileError) as error:
        digest = None
        row.problem = str(error)
    is_proved = digest is not None and not row.problem
    if digest is not None and not row.problem:
        row.problem = link_problem(digest, previous)
    _store(row, is_proved=is_proved, is_linked=previous is not None and not row.problem)


def _checked_signature(
    digest: DigestContent,
    read: ReadObject,
    name: DigestKeyName,
    aws: Aws,
    place: SourcePlace,
    keys: Keys,
) -> str:
    if digest.key != name.key:
        raise DigestError("It lies elsewhere than where CloudTrail wrote it.")
    if digest.fingerprint not in keys:
        day = timedelta(days=1)
        signing_keys = public_keys(
            aws, region=place.region, start=digest.start_at - day, end=digest.end_at + day
        )
        keys.update((key.fingerprint, key.der) for key in signing_keys)
    return verify_signature(digest, read.metadata, keys.get(digest.fingerprint))


def _files_problem(
    source: TrailSource, place: SourcePlace, digest: DigestContent, aws: Aws, budget: RunBudget
) -> str:
    """Return what is wrong with the log files named in a digest file, or an empty string. Raises NotYetError
    if the place itself hasn't been read far enough.
    """
    if place.read_until is None or place.read_until < digest.end_at - DELIVERY_DELAY:
        raise NotYetError
    known = _read_hashes(source, digest)
    late = [key for file in digest.files if file.key not in known and (key := log_key(file.key)) is not None]
    if late:
        read_files(source, late, aws, budget)
        known = _read_hashes(source, digest)
    for file in digest.files:
        name = file.key.rpartition("/")[2]
        if not known.get(file.key):
            return f"The log file {name} is missing, or can’t be read."
        if known[file.key] != file.sha256:
            return f"The log file {name} was changed after CloudTrail wrote it."
    return ""


def _read_hashes(source: TrailSource, digest: DigestContent) -> dict[str, str]:
    """Return the SHA-256 of the files that were read, by key."""
    rows = SourceFile.objects.filter(
        source=source, key_digest__in=[key_digest(file.key) for file in digest.files]
    )
    return dict(rows.values_list("key", "sha256"))


def _previous(source: TrailSource, place: SourcePlace, name: DigestKeyName) -> tuple[str, str, str] | None:
    """Return the newest earlier digest file of the chain: key, SHA-256 and signature."""
    rows = DigestFile.objects.filter(
        account_id=place.account_id,
        region=place.region,
        end_at__lt=name.at,
        source=source,
        key__contains=f"/{name.chain}_",
    )
    newest = rows.order_by("-end_at").values_list("key", "sha256", "signature").first()
    return None if newest is None else (newest[0], newest[1], newest[2])


@transaction.atomic
def _store(row: DigestFile, *, is_proved: bool, is_linked: bool) -> None:
    """Store the result, and record problems in the journal."""
    row.problem = row.problem[:500]
    row.save(force_insert=True)
    if is_proved:
        # A log file delivered in this hour contains events from some minutes before.
        start = row.start_at
        if is_linked:
            start -= DELIVERY_DELAY
        note_read(row.account_id, row.region, SpanBasis.DIGEST, start, row.end_at - DELIVERY_DELAY)
    if row.problem:
        record(
            kind="trail_source.digest",
            actor=None,
            subject=row.key.rpartition("/")[2],
            account_id=row.account_id,
            data={"problem": row.problem, "file": row.key},
        )
