"""The loader of all temporal tables: compares the wanted rows with the current ones, closes, inserts, and
leaves the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from iam.mirror.models import (
    AccountFact,
    Edge,
    EntityState,
    InlinePolicy,
    PolicyVersion,
    TagSet,
    TemporalRow,
    UserCredentials,
)
from iam.mirror.pull import bulk, revisions
from iam.mirror.pull.facts import ObservationTimes
from iam.mirror.pull.reformatted_documents import say_the_same

DOCUMENT = "document_id"
Key = tuple[Any, ...]
Values = tuple[Any, ...]
Wanted = Mapping[int, Mapping[Key, Values]]


@dataclass(frozen=True)
class TemporalTable:
    """A temporal table: rows belong to an owner and are distinguished by a key. Rows with equal `compared`
    values are unchanged (empty: all values are compared).

    `is_noted` means that writes get a revision, for code that caches data derived from the rows (see
    `revisions`).
    """

    model: type[TemporalRow]
    owner: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    compared: tuple[str, ...] = ()
    json: frozenset[str] = frozenset()
    is_noted: bool = True


STATES = TemporalTable(
    EntityState,
    owner="entity_id",
    key=(),
    values=(
        "kind",
        "name",
        "sort_name",
        "path",
        "arn",
        "created_at",
        "category",
        "document_id",
        "attrs",
        "digest",
    ),
    compared=("digest",),
    json=frozenset({"attrs"}),
)
EDGES = TemporalTable(Edge, owner="source_id", key=("kind", "target_id"), values=())
INLINE = TemporalTable(InlinePolicy, owner="owner_id", key=("name",), values=("document_id",))
VERSIONS = TemporalTable(
    PolicyVersion,
    owner="policy_id",
    key=("version_id",),
    values=("document_id", "is_default", "created_at"),
)
TAGS = TemporalTable(TagSet, owner="entity_id", key=(), values=("tags",), json=frozenset({"tags"}))
CREDENTIALS = TemporalTable(
    UserCredentials,
    owner="user_id",
    key=(),
    values=(
        "has_password",
        "password_changed_at",
        "mfa",
        "active_keys",
        "keys",
        "oldest_key_at",
        "report",
    ),
    json=frozenset({"report"}),
    is_noted=False,
)
FACTS = TemporalTable(
    AccountFact, owner="account_id", key=("name",), values=("value",), json=frozenset({"value"})
)

OF_ENTITIES = (STATES, EDGES, INLINE, VERSIONS, TAGS, CREDENTIALS)


class CurrentRow(NamedTuple):
    """A row that is valid now."""

    id: int
    values: Values
    observed_at: datetime


Rows = dict[int, dict[Key, CurrentRow]]


@dataclass
class RowDifference:
    """Rows to insert (owner, key, values) and rows to close (IDs), and the owners of both.

    `reworded` are rows that stay, with their new values: only the formatting of their document differs.
    `fresh` are owners that were added by the same write, with its revision.
    """

    inserts: list[tuple[int, Key, Values]] = field(default_factory=list)
    closes: list[int] = field(default_factory=list)
    owners: set[int] = field(default_factory=set)
    reworded: list[tuple[int, Values]] = field(default_factory=list)
    fresh: Collection[int] = frozenset()


def tag_rows(tags: Mapping[str, str] | None) -> Mapping[Key, Values]:
    """The single row of an entity's tags; empty if it has none."""
    return {(): (tags,)} if tags else {}


def current_rows(table: TemporalTable, *, owners: Iterable[int]) -> Rows:
    """The current rows of the owners."""
    rows_by_owner: Rows = {}
    columns = ("id", table.owner, "observed_at", *table.key, *table.values)
    key_end = 3 + len(table.key)
    current = table.model._default_manager.filter(valid_to__isnull=True)
    for chunk in bulk.chunks(owners):
        rows = current.filter(**{f"{table.owner}__in": chunk})
        for row in rows.values_list(*columns):
            rows_by_owner.setdefault(row[1], {})[row[3:key_end]] = CurrentRow(row[0], row[key_end:], row[2])
    return rows_by_owner


def difference(table: TemporalTable, *, wanted: Wanted, current: Rows, at: datetime) -> RowDifference:
    """What must be written so that the wanted rows are the current ones of each owner.

    A row that was observed after `at` is newer than the read: it is neither closed nor replaced.
    """
    result = RowDifference()
    positions = [table.values.index(name) for name in table.compared or table.values]
    same = _reworded(table, wanted, current)
    for owner, rows in wanted.items():
        before = current.get(owner, {})
        for key, values in rows.items():
            old = before.get(key)
            if old is not None:
                if old.observed_at > at or all(old.values[p] == values[p] for p in positions):
                    continue
                if old.id in same:
                    result.reworded.append((old.id, values))
                    continue
                result.closes.append(old.id)
            result.inserts.append((owner, key, values))
            result.owners.add(owner)
        for key, old in before.items():
            if key not in rows and old.observed_at <= at:
                result.closes.append(old.id)
                result.owners.add(owner)
    return result


def _reworded(table: TemporalTable, wanted: Wanted, current: Rows) -> set[int]:
    """The rows that would differ only in the formatting of their document."""
    if DOCUMENT not in table.values:
        return set()
    document = table.values.index(DOCUMENT)
    others = [place for place, name in enumerate(table.values) if name not in {DOCUMENT, "digest"}]
    texts: dict[int, tuple[str, str]] = {}
    for owner, rows in wanted.items():
        for key, old in current.get(owner, {}).items():
            new = rows.get(key)
            if new is None:
                continue
            old_text = old.values[document]
            new_text = new[document]
            if not old_text or not new_text or old_text == new_text:
                continue
            if all(old.values[place] == new[place] for place in others):
                texts[old.id] = (old_text, new_text)
    same = say_the_same(texts.values())
    return {row for row, pair in texts.items() if pair in same}


After = Callable[[int], datetime | None]


def write(
    table: TemporalTable,
    change: RowDifference,
    *,
    account_id: int,
    seen: ObservationTimes,
    after: After | None = None,
) -> None:
    """Close and insert rows; `after(owner)` overrides the last observation before this one."""
    if change.reworded:
        _reword(table, change.reworded)
    if table.is_noted and (change.closes or change.inserts):
        revisions.note_written(account_id, _written_entities(table, change))
    close(table, change.closes, seen=seen)
    if not change.inserts:
        return
    own_account = () if table.owner == "account_id" else ("account_id",)
    columns = (
        *own_account,
        table.owner,
        *table.key,
        *table.values,
        "valid_from",
        "after",
        "observed_at",
        "cause_kind",
        "cause_id",
        "end_cause_kind",
    )
    head = (account_id,) if own_account else ()
    observed = seen.observed or seen.at
    json_positions = [p for p, name in enumerate(table.values) if name in table.json]
    rows = [
        (
            *head,
            owner,
            *key,
            *_with_json(values, json_positions),
            seen.at,
            after(owner) if after else seen.after,
            observed,
            seen.cause_kind,
            seen.cause_id,
            "",
        )
        for owner, key, values in change.inserts
    ]
    bulk.insert(table.model, columns=columns, rows=rows)


def _reword(table: TemporalTable, reworded: list[tuple[int, Values]]) -> None:
    """Replace the documents of rows by their new formatting."""
    columns = [name for name in (DOCUMENT, "digest") if name in table.values]
    places = [table.values.index(name) for name in columns]
    rows = [(row, *(values[place] for place in places)) for row, values in reworded]
    bulk.update(table.model, key="id", columns=columns, rows=rows)


def _written_entities(table: TemporalTable, change: RowDifference) -> set[int]:
    """The concerned entities that are not new; none for facts, which belong to the account itself."""
    if table.owner == "account_id":
        return set()
    return (change.owners | {owner for owner, _, _ in change.inserts}).difference(change.fresh)


def _with_json(values: Values, positions: list[int]) -> Values:
    if not positions:
        return values
    turned = list(values)
    for position in positions:
        turned[position] = bulk.canonical(turned[position])
    return tuple(turned)


def load(
    table: TemporalTable,
    *,
    wanted: Wanted,
    account_id: int,
    seen: ObservationTimes,
    fresh: Collection[int] = frozenset(),
    after: After | None = None,
) -> set[int]:
    """Make the wanted rows the current ones of their owners. Returns the changed owners. `fresh` owners have
    no rows yet.
    """
    current = current_rows(table, owners=[owner for owner in wanted if owner not in fresh])
    change = difference(table, wanted=wanted, current=current, at=seen.at)
    change.fresh = fresh
    write(table, change, account_id=account_id, seen=seen, after=after)
    return change.owners


def close(table: TemporalTable, ids: Collection[int], *, seen: ObservationTimes) -> None:
    """Close rows by ID. They were last seen at the section's previous observation, or at their own if that is
    later.
    """
    if ids:
        statement, parameters = _ending(table, seen)
        bulk.execute_in(f"{statement} WHERE id", parameters, ids)


def close_of_owners(
    table: TemporalTable, owners: Collection[int], *, seen: ObservationTimes, column: str = ""
) -> None:
    """Close the current rows of ended entities; `column` is the column of the entity, by default the table's
    owner.
    """
    if owners:
        statement, parameters = _ending(table, seen)
        where = f"valid_to IS NULL AND observed_at <= %s AND {column or table.owner}"
        bulk.execute_in(f"{statement} WHERE {where}", [*parameters, seen.at], owners)


def _ending(table: TemporalTable, seen: ObservationTimes) -> tuple[str, list[Any]]:
    later = "GREATEST" if connection.vendor == "postgresql" else "MAX"
    last = f"{later}(observed_at, %s)" if seen.after else "observed_at"
    statement = (
        f"UPDATE {table.model._meta.db_table} SET valid_to = %s, last_seen = {last}, "  # noqa: S608
        "end_cause_kind = %s, end_cause_id = %s"
    )
    known = [seen.after] if seen.after else []
    return statement, [seen.at, *known, seen.cause_kind, seen.cause_id]
