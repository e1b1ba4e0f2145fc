"""Syncs a user's access keys and their last use (when, where and for which service), which is checked before
a key is removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from django.conf import settings
from django.db.models import Q

from iam.aws.client_pool import pooled_client
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.parallel_reads import parallel_reads
from iam.aws.ratelimit import RateLimit
from iam.aws.reads import details, identity
from iam.aws.session import Aws
from iam.mirror.models import NEVER, Account, Entity, Usage
from iam.mirror.pull import revisions
from iam.mirror.pull.reach import BURST, UnreachableError, access_to
from iam.mirror.pull.renames import other_name
from iam.mirror.pull.sections import ACCESS_KEYS
from iam.mirror.pull.subject import reread_entity
from iam.mirror.pull.usage import LastUse
from iam.mirror.refresh.credentials import is_news, read_credentials, reread_credentials

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
    current = user_now(aws, account, user)
    if current is None:
        return KeysSeen(at)
    user = current
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
    if is_news(user, read):
        last_uses = {key.key_id: LastUse(key.used_at, key.region, key.service) for key in keys.values()}
        reread_credentials(account, user, replace(read, uses=last_uses), cause_id=None)
    for key in keys.values():
        _note_use(account, user, key, at=at)
    return KeysSeen(at, True, keys)


def user_now(aws: Aws, account: Account, user: Entity) -> Entity | None:
    """Return the user as it is named in AWS now, None if it is deleted. The mirror follows a rename. One call
    if the user has its name. Raises AwsError.
    """
    try:
        if identity.user_id(aws, name=user.name) == user.aws_id:
            return user
    except AwsError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise
    name = other_name(account, kind=user.kind, aws_id=user.aws_id, name=user.name)
    if name is None:
        return None
    return reread_entity(account, aws, kind=user.kind, name=name, cause_id=None)


def _note_use(account: Account, user: Entity, key: KeySeen, *, at: datetime) -> None:
    """Store the last use, unless a newer one is stored, and as of when it is known."""
    rows = Usage.objects.filter(entity__owner=user, entity__aws_id=key.key_id, account=account)
    used_at = key.used_at or NEVER
    is_newer = rows.filter(Q(last_used_at__lt=used_at) | Q(is_read=False)).update(
        last_used_at=used_at,
        is_read=True,
        region=key.region[:MAX_REGION_LENGTH],
        service=key.service[:MAX_NAME_LENGTH],
        observed_at=at,
    )
    if is_newer:
        revisions.note_write(account.pk)
    else:
        rows.filter(last_used_at=used_at, observed_at__lt=at).update(observed_at=at)
