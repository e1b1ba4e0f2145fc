"""Reads from the mirror the status and the last use of the keys of rotations. Every page reads them there, so
that pages agree, whether a sync, a change or a check of a rotation read AWS last.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from iam.changes.operations.user_credential import ACTIVE
from iam.mirror.models import (
    NEVER,
    Entity,
    EntityState,
    Kind,
    Section,
    Usage,
    UserCredentials,
    valid_at,
)
from iam.mirror.pull.credentials import KEYS_READ_AT, moment_of
from iam.mirror.pull.sections import CREDENTIAL_REPORT
from iam.people.rotation.models import Rotation
from iam.people.rotation.rotation_plan import MirroredKey

KeyPlace = tuple[int, str]
"""The number of an account's row, and the ID of an access key."""


@dataclass(frozen=True, slots=True)
class KeyNow:
    """A key in the mirror. `status` is empty if it no longer exists. `used_at` None means that no use is
    known.
    """

    status: str
    used_at: datetime | None = None
    service: str = ""
    region: str = ""


def keys_now(places: Collection[KeyPlace]) -> dict[KeyPlace, KeyNow]:
    """Return these keys, without those that the mirror doesn't know. Three queries."""
    if not places:
        return {}
    entities = Entity.objects.filter(
        kind=Kind.ACCESS_KEY,
        account__in={account for account, _ in places},
        aws_id__in={key_id for _, key_id in places},
    )
    known = {
        pk: (account, key_id) for pk, account, key_id in entities.values_list("pk", "account_id", "aws_id")
    }
    states = EntityState.objects.filter(valid_at(None), entity__in=known, entity__gone_at__isnull=True)
    statuses = dict(states.values_list("entity", "category"))
    uses = {usage.entity_id: usage for usage in Usage.objects.filter(entity__in=known)}
    return {place: _key_now(statuses.get(pk, ""), uses.get(pk)) for pk, place in known.items()}


def _key_now(status: str, use: Usage | None) -> KeyNow:
    if use is None or use.last_used_at == NEVER:
        return KeyNow(status)
    return KeyNow(status, use.last_used_at, use.service, use.region)


def show_now(rotations: Iterable[Rotation]) -> None:
    """Give rotations the status and the last use of both keys that the mirror has now, in memory only. What
    the mirror doesn't know stays as it was when AWS was checked.

    A check updates the mirror before the rotation, so the mirror is never behind.
    """
    rotations = list(rotations)
    places = set()
    for rotation in rotations:
        account = rotation.user.account_id
        places |= {(account, rotation.old.aws_id), (account, rotation.new_key_id)}
    now = keys_now(places)
    for rotation in rotations:
        account = rotation.user.account_id
        _show(rotation, "old", now.get((account, rotation.old.aws_id)))
        _show(rotation, "new", now.get((account, rotation.new_key_id)))


def _show(rotation: Rotation, which: str, key: KeyNow | None) -> None:
    if key is None:
        return
    setattr(rotation, f"{which}_state", key.status)
    stored = getattr(rotation, f"{which}_used_at")
    if key.used_at is not None and (stored is None or key.used_at > stored):
        setattr(rotation, f"{which}_used_at", key.used_at)
        setattr(rotation, f"{which}_service", key.service)
        setattr(rotation, f"{which}_region", key.region)


def knows_keys(user: Entity, row: UserCredentials | None) -> bool:
    """Return True if it is known which keys a user has, from the credential report or their own list."""
    if row is None:
        return False
    was_listed = user.detail_at is not None or bool(row.report.get(KEYS_READ_AT))
    return row.has_password is not None or was_listed


def statuses_known_at(
    user: Entity, row: UserCredentials | None, keys: Collection[MirroredKey]
) -> datetime | None:
    """Return as of when the mirror knows the statuses of a user's keys, or None. One query.

    That is the latest time at which AWS listed them, or made a credential report that shows the same.
    """
    facts = row.report if row else {}
    moments = [user.detail_at, moment_of(facts, KEYS_READ_AT)]
    counts = (sum(key.status == ACTIVE for key in keys), len(keys))
    if row is not None and "user_creation_time" in facts and (row.active_keys, row.keys) == counts:
        report = Section.objects.filter(account=user.account_id, name=CREDENTIAL_REPORT)
        moments += report.values_list("observed_at", flat=True)
    return max((moment for moment in moments if moment is not None), default=None)
