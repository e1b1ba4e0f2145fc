"""The current entities of one account, loaded with one query and kept up to date while a pull is applied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from iam.mirror.models import Account, Entity
from iam.mirror.pull.bulk import chunks

_COLUMNS = (
    "id", "kind", "aws_id", "name", "arn", "source_digest", "reread_at", "detail_at", "owner_id", "gone_at",
    "detail_gaps",
)  # fmt: skip


@dataclass(slots=True)
class EntityRow:
    """The stable row of an entity in the mirror."""

    id: int
    kind: str
    aws_id: str
    name: str
    arn: str
    source_digest: bytes | None = None
    reread_at: datetime | None = None
    detail_at: datetime | None = None
    owner_id: int | None = None
    gone_at: datetime | None = None
    detail_gaps: str = ""

    @property
    def is_placeholder(self) -> bool:
        """True for a policy that AWS has only referred to: it is known by ARN, not by unique ID."""
        return self.kind == "policy" and self.aws_id == self.arn


class EntityCache:
    """Current entities by (kind, unique ID)."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.current: dict[tuple[str, str], EntityRow] = {}
        self.by_pk: dict[int, EntityRow] = {}
        self.absent_at: dict[int, datetime] = {}
        """The last observation without an entity, for entities that appeared after the first sync. Filled for
        those whose details are read.
        """
        self._by_kind: dict[str, dict[int, EntityRow]] = defaultdict(dict)
        self.by_name: dict[tuple[str, str, str], EntityRow] = {}
        """By kind, "name" or "arn", and its value. If two entities match, which happens only while a loss is
        held back, the newer one.
        """
        self._has_past = False
        self._read()

    def _read(self) -> None:
        rows = Entity.objects.filter(account=self.account, gone_at__isnull=True).order_by("id")
        for row in rows.values_list(*_COLUMNS).iterator(chunk_size=5000):
            self.add(_known(row))
        self._has_past = Entity.objects.filter(account=self.account, gone_at__isnull=False).exists()

    def catch_up(self, since: datetime) -> None:
        """Load what re-reads have changed since a time. Must be called with the account locked."""
        rows = Entity.objects.filter(account=self.account, reread_at__gte=since)
        for row in rows.values_list(*_COLUMNS):
            known = _known(row)
            self.forget(known)
            if known.gone_at is None:
                self.add(known)
            else:
                self._has_past = True

    def add(self, known: EntityRow) -> None:
        """Add an entity to the current ones."""
        self.current[known.kind, known.aws_id] = known
        self.by_pk[known.id] = known
        self._by_kind[known.kind][known.id] = known
        self.by_name[known.kind, "name", known.name] = known
        self.by_name[known.kind, "arn", known.arn] = known

    def forget(self, known: EntityRow) -> None:
        """Remove an entity from the current ones."""
        old = self.by_pk.pop(known.id, None)
        if old is None:
            return
        self._has_past = True
        self.current.pop((old.kind, old.aws_id), None)
        self._by_kind[old.kind].pop(old.id, None)
        for key in ((old.kind, "name", old.name), (old.kind, "arn", old.arn)):
            if self.by_name.get(key) is old:
                del self.by_name[key]

    def digest(self, kind: str, aws_id: str) -> bytes | None:
        """The digest of AWS's last complete response about an entity."""
        known = self.current.get((kind, aws_id))
        return known.source_digest if known else None

    def of_kind(self, *kinds: str) -> Iterator[EntityRow]:
        """The current entities of these kinds."""
        return chain.from_iterable(list(self._by_kind[kind].values()) for kind in kinds)

    def past(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], EntityRow]:
        """Deleted entities by key. An entity that AWS shows again is the same one."""
        wanted = set(keys) if self._has_past else set()
        past_entities: dict[tuple[str, str], EntityRow] = {}
        for chunk in chunks(sorted({aws_id for _, aws_id in wanted})):
            rows = Entity.objects.filter(account=self.account, gone_at__isnull=False, aws_id__in=chunk)
            for row in rows.values_list(*_COLUMNS):
                known = _known(row)
                if (known.kind, known.aws_id) in wanted:
                    past_entities[known.kind, known.aws_id] = known
        return past_entities


def _known(row: tuple[Any, ...]) -> EntityRow:
    known = EntityRow(*row)
    if known.source_digest is not None:
        known.source_digest = bytes(known.source_digest)
    return known
