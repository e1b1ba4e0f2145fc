"""Syncs a user's access keys and their last use (when, where and for which service), which is checked before
a key is removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from django.conf import settings

from iam.aws.client_pool import pooled_client
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.parallel_reads import parallel_reads
from iam.aws.ratelimit import RateLimit
from iam.aws.reads import details, identity
from iam.aws.session import Aws
from iam.mirror.models import Account, Entity, EntityState, Kind, Usage, valid_at
from iam.mirror.pull.reach import BURST, UnreachableError, access_to
from iam.mirror.pull.sections import ACCESS_KEYS
from iam.mirror.refresh.credentials import ReadCredentials, read_credentials, reread_credentials

MAX_NAME_LENGTH, MAX_REGION_LENGTH = 64, 32


class UnreadableKeysError(Exception):
    """AWS did not answer, or the account can't be reached any more. The message says which."""


@dataclass(frozen=True, slots=True)
class KeySeen:
    """An access key in AWS. `used_at` is None if it was never used."""

    key_id: str
    status: str
    created_at: datetime
    used_at: datetime | None = None
    service: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class KeysSeen:
    """The keys of a user. `exists` means that the same user still exists. `at` is before the calls."""

    at: datetime
    exists: bool = False
    keys: dict[str, KeySeen] = field(default_factory=dict)


def reread_key_use(account: Account, user: Entity) -> KeysSeen:
    """Read the keys and update the mirror. Two calls, and one per key. Raises UnreadableKeysError.

    GetAccessKeyLastUsed: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
    """
    rate = RateLimit(per_second=settings.AWS_RATE, burst=max(BURST, settings.AWS_RATE))
    try:
        with pooled_client(access_to(account), rate=rate, width=settings.AWS_READS_AT_ONCE) as aws:
            return _read(aws, account, user)
    except (AwsError, UnreachableError) as error:
        raise UnreadableKeysError(str(error)) from error


def _read(aws: Aws, account: Account, user: Entity) -> KeysSeen:
    at = datetime.now(tz=UTC)
    if not is_there(aws, user):
        return KeysSeen(at)
    read = read_credentials(aws, user_name=user.name, section=ACCESS_KEYS)
    keys = {}
    with parallel_reads(aws) as ask:
        uses = [
            ask(partial(details.access_key_last_used, aws, key_id=key_record.key_id))
            for key_record in read.records
        ]
        for key_record, use in zip(read.records, uses, strict=True):
            used = use()
            keys[key_record.key_id] = KeySeen(
                key_record.key_id,
                key_record.status,
                key_record.created_at,
                used.at,
                used.service or "",
                used.region or "",
            )
    if _differs(user, read):
        reread_credentials(account, user, read, cause_id=None)
    for key in keys.values():
        _note_use(account, user, key, at=at)
    return KeysSeen(at, True, keys)


def is_there(aws: Aws, user: Entity) -> bool:
    """Return True if AWS still has this user, and not another one with its name. Raises AwsError."""
    try:
        return identity.user_id(aws, name=user.name) == user.aws_id
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return False
        raise


def _differs(user: Entity, read: ReadCredentials) -> bool:
    """Return True if the mirror differs. Only then is it updated, which means loading the account's rows."""
    rows = EntityState.objects.filter(
        valid_at(None), kind=Kind.ACCESS_KEY, entity__owner=user, entity__gone_at__isnull=True
    )
    categories = dict(rows.values_list("entity__aws_id", "category"))
    return categories != {key_record.key_id: key_record.status for key_record in read.records}


def _note_use(account: Account, user: Entity, key: KeySeen, *, at: datetime) -> None:
    """Store the last use, unless a newer one is stored."""
    if key.used_at is None:
        return
    rows = Usage.objects.filter(entity__owner=user, entity__aws_id=key.key_id, account=account)
    rows.filter(last_used_at__lt=key.used_at).update(
        last_used_at=key.used_at,
        region=key.region[:MAX_REGION_LENGTH],
        service=key.service[:MAX_NAME_LENGTH],
        observed_at=at,
    )
