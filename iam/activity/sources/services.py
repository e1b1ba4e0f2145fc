"""Adds, changes, tests, pauses and removes sources. The journal records each action.

Adding, changing and removing need the approval of another person: only `iam.audit.source_requests` calls
these functions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from iam.activity.sources.models import SourceKind, TrailSource
from iam.journal.services import record
from iam.mirror.accounts.actors import Actor, must_manage
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models import Account
from iam.nudge import send_after_commit

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"[A-Za-z0-9!_.*'()/-]*")
_REGION: Final = re.compile(r"[a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2}")
_QUEUE: Final = re.compile(r"https://[a-z0-9.-]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?")
_TESTED: Final = "iam.activity.sources.tasks.test_source"
_READ: Final = "iam.activity.sources.tasks.read_source"


@dataclass(frozen=True, slots=True)
class SourceTerms:
    """The terms of a source; see TrailSource."""

    kind: str
    account: Account
    since: date
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    queue_url: str = ""


def checked_terms(terms: SourceTerms) -> SourceTerms:
    """Return the terms as they are stored. Raises SetupError, which names each wrong field."""
    problems: dict[str, str] = {}
    if terms.since > timezone.now().date():
        problems["since"] = "The first day lies in the future."
    if terms.account.source == "export" or terms.account.removed_at is not None:
        problems["account"] = f"{terms.account.name} isn’t connected with a role."
    if terms.kind != SourceKind.HISTORY:
        problems |= _bucket_problems(terms)
    if problems:
        raise SetupError.of(problems)
    if terms.kind == SourceKind.HISTORY:
        return SourceTerms(terms.kind, terms.account, terms.since)
    prefix = terms.prefix.strip("/")
    stored_prefix = f"{prefix}/" if prefix else ""
    return SourceTerms(
        terms.kind, terms.account, terms.since, terms.bucket, stored_prefix, terms.region, terms.queue_url
    )


def _bucket_problems(terms: SourceTerms) -> dict[str, str]:
    problems: dict[str, str] = {}
    prefix = terms.prefix.strip("/")
    if not _BUCKET.fullmatch(terms.bucket):
        problems["bucket"] = "A bucket’s name has 3 to 63 lower-case letters, digits, hyphens and dots."
    if not _PREFIX.fullmatch(prefix) or "AWSLogs" in prefix.split("/"):
        problems["key_prefix"] = (
            "The prefix is what comes before AWSLogs/ in the keys. Leave it empty if nothing does."
        )
    if not _REGION.fullmatch(terms.region):
        problems["region"] = "Enter the Region of the bucket, such as eu-west-1."
    if terms.queue_url and not _QUEUE.fullmatch(terms.queue_url):
        problems["queue_url"] = (
            "A queue’s URL looks like https://sqs.eu-west-1.amazonaws.com/123456789012/trail-files."
        )
    return problems


def terms_of(source: TrailSource) -> SourceTerms:
    """Return the current terms of a source."""
    return SourceTerms(
        source.kind,
        source.account,
        source.since,
        source.bucket,
        source.prefix,
        source.region,
        source.queue_url,
    )


def source_of(terms: SourceTerms) -> TrailSource:
    """Return an unsaved source with these terms."""
    return TrailSource(
        kind=terms.kind,
        account=terms.account,
        since=terms.since,
        bucket=terms.bucket,
        prefix=terms.prefix,
        region=terms.region,
        queue_url=terms.queue_url,
    )


def check_is_new(terms: SourceTerms, *, but: TrailSource | None = None) -> None:
    """Raise SetupError if another source reads the same."""
    same = TrailSource.objects.filter(
        kind=terms.kind,
        account=terms.account,
        bucket=terms.bucket,
        prefix=terms.prefix,
        removed_at__isnull=True,
    )
    if but is not None:
        same = same.exclude(pk=but.pk)
    if same.exists():
        raise _exists_already(terms)


def _exists_already(terms: SourceTerms) -> SetupError:
    field = "account"
    if terms.kind == SourceKind.BUCKET:
        field = "bucket"
    return SetupError("A source reads this already.", field=field)


@transaction.atomic
def add_source(terms: SourceTerms, *, actor: Actor, requested_by: str) -> TrailSource:
    """Add a source that someone requested and `actor` approved. A worker tests it and starts to read. Raises
    SetupError.
    """
    checked = checked_terms(terms)
    source = source_of(checked)
    source.created_by, source.check_requested_at = requested_by, timezone.now()
    try:
        with transaction.atomic():
            source.save(force_insert=True)
    except IntegrityError:
        raise _exists_already(checked) from None
    _journal("trail_source.add", source, actor, requested_by)
    send_after_commit(_TESTED, source.pk)
    send_after_commit(_READ, source.pk)
    return source


@transaction.atomic
def change_source(source: TrailSource, terms: SourceTerms, *, actor: Actor, requested_by: str) -> None:
    """Change the terms of a source, as someone requested and `actor` approved. If the bucket, prefix or first
    day changes, it is read from the beginning. Raises SetupError.
    """
    checked = checked_terms(terms)
    is_elsewhere = (source.bucket, source.prefix, source.account_id, source.since) != (
        checked.bucket,
        checked.prefix,
        checked.account.pk,
        checked.since,
    )
    source.account, source.since, source.kind = checked.account, checked.since, checked.kind
    source.bucket, source.prefix = checked.bucket, checked.prefix
    source.region, source.queue_url = checked.region, checked.queue_url
    source.check_requested_at, source.next_run_at = timezone.now(), None
    source.error = source.error_field = ""
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError:
        raise _exists_already(checked) from None
    if is_elsewhere:
        source.places.all().delete()
        TrailSource.objects.filter(pk=source.pk).update(found_at=None)
    _journal("trail_source.change", source, actor, requested_by)
    send_after_commit(_TESTED, source.pk)


@transaction.atomic
def request_test(source: TrailSource, *, actor: Actor) -> None:
    """Have a worker read one file to test the source."""
    must_manage(actor, account_id="")
    TrailSource.objects.filter(pk=source.pk).update(check_requested_at=timezone.now())
    _journal("trail_source.test", source, actor)
    send_after_commit(_TESTED, source.pk)


@transaction.atomic
def pause_source(source: TrailSource, *, is_paused: bool, actor: Actor) -> None:
    """Pause or resume a source."""
    must_manage(actor, account_id="")
    TrailSource.objects.filter(pk=source.pk).update(is_paused=is_paused, next_run_at=None)
    kind = "trail_source.pause"
    if not is_paused:
        kind = "trail_source.resume"
        send_after_commit(_READ, source.pk)
    _journal(kind, source, actor)


@transaction.atomic
def remove_source(source: TrailSource, *, actor: Actor, requested_by: str) -> None:
    """Stop reading a source, as someone requested and `actor` approved. Its events are kept."""
    TrailSource.objects.filter(pk=source.pk).update(removed_at=timezone.now())
    _journal("trail_source.remove", source, actor, requested_by)


def _journal(kind: str, source: TrailSource, actor: Actor, requested_by: str = "") -> None:
    data = {"bucket": source.bucket, "prefix": source.prefix, "queue": source.queue_url}
    if requested_by:
        data["requested_by"] = requested_by
    record(
        kind=kind,
        actor=actor,
        subject=str(source),
        account_id=source.account.account_id,
        data=data,
    )
