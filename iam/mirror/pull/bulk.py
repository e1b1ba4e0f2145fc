"""Raw bulk writes, with executemany on SQLite and COPY on PostgreSQL. Rows are tuples in the order of the
columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

T = TypeVar("T")
Row = tuple[Any, ...]
CHUNK = 500


def canonical(value: Any) -> str:
    """The canonical JSON text of a value: sorted keys, no spaces. JSON columns take this text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_instant)


def _instant(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no place in a JSON column.")


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Split the items into lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def allocate_ids(model: type[Model], count: int) -> list[int]:
    """Reserve IDs that no other row will get. Must be called in a transaction."""
    if not count:
        return []
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [row[0] for row in cursor.fetchall()]
        # The transaction is IMMEDIATE, so no one else inserts; inserting explicit IDs advances the sequence.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = (cursor.fetchone() or (0,))[0]
    return list(range(last + 1, last + 1 + count))


def insert(model: type[Model], *, columns: Sequence[str], rows: Collection[Row]) -> None:
    """Insert rows as they are. All columns without a database default must be given."""
    if not rows:
        return
    table, names = model._meta.db_table, ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy(cursor, f"COPY {table} ({names}) FROM STDIN", rows)
        else:
            holes = ", ".join(["%s"] * len(columns))
            cursor.executemany((f"INSERT INTO {table} ({names}) VALUES ({holes})"), _adapted(rows))  # noqa: S608


def insert_missing(
    model: type[Model], *, columns: tuple[str, str], rows: Collection[tuple[str, str]]
) -> None:
    """Insert rows of two text columns, except those whose key exists."""
    if not rows:
        return
    table, names = model._meta.db_table, ", ".join(columns)
    # Sorted, so that two pulls that insert the same keys can't deadlock.
    ordered = sorted(rows)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.executemany((f"INSERT OR IGNORE INTO {table} ({names}) VALUES (%s, %s)"), ordered)  # noqa: S608
            return
        _copy_aside(cursor, table, names, ordered)
        chosen = f"SELECT {names} FROM incoming ORDER BY {columns[0]} ON CONFLICT DO NOTHING"  # noqa: S608
        cursor.execute(f"INSERT INTO {table} ({names}) {chosen}")
        cursor.execute("DROP TABLE incoming")


def update(model: type[Model], *, key: str, columns: Sequence[str], rows: Collection[Row]) -> None:
    """Set columns of rows by their key; each row is (key, values…)."""
    if not rows:
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            setting = ", ".join(f"{name} = %s" for name in columns)
            turned = [(*row[1:], row[0]) for row in _adapted(rows)]
            cursor.executemany(f"UPDATE {table} SET {setting} WHERE {key} = %s", turned)  # noqa: S608
            return
        names = ", ".join((key, *columns))
        _copy_aside(cursor, table, names, rows)
        setting = ", ".join(f"{name} = incoming.{name}" for name in columns)
        rows_meant = f"{table}.{key} = incoming.{key}"
        cursor.execute(f"UPDATE {table} SET {setting} FROM incoming WHERE {rows_meant}")  # noqa: S608
        cursor.execute("DROP TABLE incoming")


def refresh_statistics(models: Iterable[type[Model]], *, added: int) -> None:
    """Run ANALYZE in PostgreSQL for tables that have grown by a hundredth, so that queries are planned for
    their current content.

    Autovacuum does it up to a minute later. Until then, the planner takes the tables, or a new account's part
    of them, for nearly empty. ANALYZE takes a sample, so its cost doesn't depend on the size of a table.
    """
    if connection.vendor != "postgresql" or added < 1000:
        return
    names = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r' AND reltuples < %s",
            [names, 100 * added],
        )
        grown = sorted({name for (name,) in cursor.fetchall()})
        if grown:
            cursor.execute(f"ANALYZE {', '.join(grown)}")


def execute(statement: str, parameters: Sequence[Any]) -> int:
    """Run one statement with parameters of any supported type. Returns the number of affected rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [database_value(value) for value in parameters])
        return int(cursor.rowcount)


def execute_in(statement: str, parameters: Sequence[Any], ids: Iterable[int]) -> int:
    """Run a statement that ends before its `IN` list, for any number of IDs. Returns the number of affected
    rows.
    """
    touched = 0
    for chunk in chunks(ids):
        holes = ", ".join(["%s"] * len(chunk))
        touched += execute(f"{statement} IN ({holes})", [*parameters, *chunk])
    return touched


def _copy_aside(cursor: Any, table: str, names: str, rows: Iterable[Row]) -> None:
    """Copy rows into the temporary table `incoming`, whose columns have the same types as those of
    the table.
    """
    same_types = f"SELECT {names} FROM {table} WITH NO DATA"  # noqa: S608
    cursor.execute(f"CREATE TEMP TABLE incoming ON COMMIT DROP AS {same_types}")
    _copy(cursor, f"COPY incoming ({names}) FROM STDIN", rows)


def _copy(cursor: Any, statement: str, rows: Iterable[Row]) -> None:
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _as_text(value: datetime) -> str:
    return str(value.astimezone(UTC).replace(tzinfo=None))


_ON_SQLITE: dict[type, Callable[[Any], Any]] = {datetime: _as_text, UUID: lambda value: value.hex}


def database_value(value: Any) -> Any:
    """Convert a value to what the database driver takes in a raw statement, as Django represents it."""
    if connection.vendor == "postgresql":
        return value
    to_text = _ON_SQLITE.get(type(value))
    return to_text(value) if to_text else value


def _adapted(rows: Iterable[Row]) -> list[Row]:
    get = _ON_SQLITE.get
    adapted = []
    for row in rows:
        values = list(row)
        for place, value in enumerate(row):
            if (to_text := get(type(value))) is not None:
                values[place] = to_text(value)
        adapted.append(tuple(values))
    return adapted
