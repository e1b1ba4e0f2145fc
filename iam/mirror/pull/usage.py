"""Stores when users, roles and keys were last used. Only changes are written, without history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from iam.mirror.models import NEVER, Kind, Usage
from iam.mirror.pull import bulk, revisions
from iam.mirror.pull.entity_cache import EntityRow

KINDS = (Kind.USER, Kind.ROLE, Kind.ACCESS_KEY)
PASSWORD = "password_last_used"  # noqa: S105
_COLUMNS = ("last_used_at", "region", "service", "details", "is_read", "observed_at")


@dataclass(slots=True)
class LastUse:
    """What is known about a last use. `details` are merged into the stored ones, and None removes one."""

    at: datetime | None = None
    region: str = ""
    service: str = ""
    details: dict[str, str | None] = field(default_factory=dict)

    def update(self, at: datetime | None, *, region: str | None = None, service: str | None = None) -> None:
        """Take over a use if it is the latest."""
        if at is not None and (self.at is None or at > self.at):
            self.at, self.region, self.service = at, region or "", service or ""


def instant(moment: datetime | None) -> str | None:
    """A time in the form of details: ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def load_usage(
    account_id: int, *, entities: Iterable[EntityRow], uses: Mapping[int, LastUse], observed_at: datetime
) -> int:
    """Create the missing rows of the entities, and update those with a newer use. Returns the number of
    written rows.

    A use that is older than the stored one is ignored: a key that no longer exists was used nevertheless.
    A new access key whose use was not read is stored as such, so that pages say unknown instead of never.
    """
    entities = list(entities)
    stored = _stored(account_id, entities)
    inserts: list[bulk.Row] = []
    updates: list[bulk.Row] = []
    for known in entities:
        use, old = uses.get(known.id), stored.get(known.id)
        if old is None:
            unread: tuple[Any, ...] = (NEVER, "", "", {}, known.kind != Kind.ACCESS_KEY)
            new = unread if use is None else _merged(unread, use)
            inserts.append((known.id, account_id, known.kind, *_columns(new), observed_at))
        elif use is not None and (new := _merged(old, use)) != old:
            updates.append((known.id, *_columns(new), observed_at))
    bulk.insert(Usage, columns=("entity_id", "account_id", "kind", *_COLUMNS), rows=inserts)
    bulk.update(Usage, key="entity_id", columns=_COLUMNS, rows=updates)
    if inserts or updates:
        revisions.note_write(account_id)
    return len(inserts) + len(updates)


def _stored(account_id: int, entities: list[EntityRow]) -> dict[int, tuple[Any, ...]]:
    rows = Usage.objects.filter(account_id=account_id)
    if len(entities) <= bulk.CHUNK:
        rows = rows.filter(entity_id__in=[known.id for known in entities])
    columns = ("entity_id", "last_used_at", "region", "service", "details", "is_read")
    return {row[0]: row[1:] for row in rows.values_list(*columns).iterator(chunk_size=5000)}


def _columns(row: tuple[Any, ...]) -> tuple[Any, ...]:
    at, region, service, details, is_read = row
    return at, region, service, bulk.canonical(details), is_read


def _merged(old: tuple[Any, ...], use: LastUse) -> tuple[Any, ...]:
    """The row of an entity, combined with what was just read; the later use counts."""
    at, region, service, details, _ = old
    if use.at is not None and use.at >= at:
        at = use.at
        region = use.region or region
        service = use.service or service
    if use.details:
        latest = {**details, **use.details}
        if (latest.get(PASSWORD) or "") < details.get(PASSWORD, ""):
            latest[PASSWORD] = details[PASSWORD]
        details = {name: value for name, value in latest.items() if value is not None}
    return at, region, service, details, True
