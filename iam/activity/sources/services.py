"""Adds, changes, tests, pauses and removes sources; each is in the journal."""

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
    """What a person says of a source; see TrailSource."""

    kind: str
    account: Account
    since: date
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    queue_url: str = ""


def checked_terms(terms: SourceTerms) -> SourceTerms:
    """The terms as they are stored. Raises SetupError, which names the field."""
    if terms.since > timezone.now().date():
        raise SetupError("The first day lies in the future.", field="since")
    if terms.account.source == "export" or terms.account.removed_at is not None:
        raise SetupError(f"{terms.account.name} isn’t connected with a role.", field="account")
    if terms.kind == SourceKind.HISTORY:
        return SourceTerms(terms.kind, terms.account, terms.since)
    if not _BUCKET.fullmatch(terms.bucket):
        raise SetupError(
            "A bucket’s name has 3 to 63 lower-case letters, digits, hyphens and dots.", field="bucket"
        )
    prefix = terms.prefix.strip("/")
    if not _PREFIX.fullmatch(prefix) or "AWSLogs" in prefix.split("/"):
        raise SetupError(
            "The prefix is what comes before AWSLogs/ in the keys. Leave it empty if nothing does.",
            field="key_prefix",
        )
    if not _REGION.fullmatch(terms.region):
        raise SetupError("Enter the Region of the bucket, such as eu-west-1.", field="region")
    if terms.queue_url and not _QUEUE.fullmatch(terms.queue_url):
        raise SetupError(
            "A queue’s URL looks like https://sqs.eu-west-1.amazonaws.com/123456789012/trail-files.",
            field="queue_url",
        )
    stored_prefix = f"{prefix}/" if prefix else ""
    return SourceTerms(
        terms.kind, terms.account, terms.since, terms.bucket, stored_prefix, terms.region, terms.queue_url
    )


@transaction.atomic
def add_source(terms: SourceTerms, *, actor: Actor) -> TrailSource:
    """Add a source; a worker tests it and begins to read. Raises SetupError."""
    must_manage(actor, account_id="")
    checked = checked_terms(terms)
    try:
        with transaction.atomic():
            source = TrailSource.objects.create(
                kind=checked.kind,
                account=checked.account,
                bucket=checked.bucket,
                prefix=checked.prefix,
                region=checked.region,
                queue_url=checked.queue_url,
                since=checked.since,
                created_by=actor.name,
                check_requested_at=timezone.now(),
            )
    except IntegrityError:
        field = "bucket" if checked.kind == SourceKind.BUCKET else "account"
        raise SetupError("This source exists already.", field=field) from None
    _journal("trail_source.add", source, actor)
    send_after_commit(_TESTED, source.pk)
    send_after_commit(_READ, source.pk)
    return source


@transaction.atomic
def change_source(source: TrailSource, terms: SourceTerms, *, actor: Actor) -> None:
    """Change the terms of a source. A bucket, prefix or first day that differs is read from the beginning.
    Raises SetupError.
    """
    must_manage(actor, account_id="")
    checked = checked_terms(terms)
    is_elsewhere = (source.bucket, source.prefix, source.account_id, source.since) != (
        checked.bucket,
        checked.prefix,
        checked.account.pk,
        checked.since,
    )
    source.account, source.since = checked.account, checked.since
    source.bucket, source.prefix = checked.bucket, checked.prefix
    source.region, source.queue_url = checked.region, checked.queue_url
    source.check_requested_at, source.next_run_at = timezone.now(), None
    source.error = source.error_field = ""
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError:
        raise SetupError("Another source reads this already.", field="bucket") from None
    if is_elsewhere:
        source.places.all().delete()
        TrailSource.objects.filter(pk=source.pk).update(found_at=None)
    _journal("trail_source.change", source, actor)
    send_after_commit(_TESTED, source.pk)


@transaction.atomic
def request_test(source: TrailSource, *, actor: Actor) -> None:
    """Have a worker read one file."""
    must_manage(actor, account_id="")
    TrailSource.objects.filter(pk=source.pk).update(check_requested_at=timezone.now())
    _journal("trail_source.test", source, actor)
    send_after_commit(_TESTED, source.pk)


@transaction.atomic
def pause_source(source: TrailSource, *, is_paused: bool, actor: Actor) -> None:
    """Stop reading a source, or read it again."""
    must_manage(actor, account_id="")
    TrailSource.objects.filter(pk=source.pk).update(is_paused=is_paused, next_run_at=None)
    kind = "trail_source.pause"
    if not is_paused:
        kind = "trail_source.resume"
        send_after_commit(_READ, source.pk)
    _journal(kind, source, actor)


@transaction.atomic
def remove_source(source: TrailSource, *, actor: Actor) -> None:
    """Read a source no more. What was read of it stays."""
    must_manage(actor, account_id="")
    TrailSource.objects.filter(pk=source.pk).update(removed_at=timezone.now())
    _journal("trail_source.remove", source, actor)


def _journal(kind: str, source: TrailSource, actor: Actor) -> None:
    record(
        kind=kind,
        actor=actor,
        subject=str(source),
        account_id=source.account.account_id,
        data={"bucket": source.bucket, "prefix": source.prefix, "queue": source.queue_url},
    )
