"""Several queries of a page, sent to the database at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from iam.prepared_statements import PreparedStatement, prepare_connection, sends_directly


class ReadableAhead(ABC):
    """A query whose rows a page can read with those of others, before it asks for them."""

    @abstractmethod
    def statement(self) -> PreparedStatement | None:
        """Return the compiled statement, or None if the result is certainly empty."""

    def planned(self, **values: Any) -> PlannedRead:
        """Return what `read_ahead` reads for a later call with these values."""
        return PlannedRead(self, values)

    def _fetched(self, statement: PreparedStatement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        rows = _taken(self, values)
        return statement.rows(values) if rows is None else rows


class PlannedRead(NamedTuple):
    """A query and its parameter values, to be read now or ahead."""

    query: Any
    values: Mapping[str, Any]

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows of a `CompiledQuery`."""
        rows: list[tuple[Any, ...]] = self.query.rows(**self.values)
        return rows

    def numbers(self) -> list[int]:
        """Return the counts of `CompiledCounts`."""
        numbers: list[int] = self.query.numbers(**self.values)
        return numbers


_READ: Final[ContextVar[dict[int, tuple[Mapping[str, Any], list[tuple[Any, ...]]]] | None]] = ContextVar(
    "read_ahead", default=None
)
"""The rows that were read ahead, by the `id` of their query, each with the values of its parameters."""
SAME_TIME: Final = timedelta(seconds=5)
"""Between planning a read and asking for it, the present moves on by less."""


@contextmanager
def read_ahead(reads: Iterable[PlannedRead]) -> Iterator[None]:
    """Send these queries to PostgreSQL at once. Within the block, the first call of each with the same values
    takes its rows; times may differ by `SAME_TIME`. A block within another can take its rows too.

    A page of twenty small queries spends a third of its time on waiting for one after the other. On other
    databases, and where Django logs statements, the calls send them one by one.
    """
    database = connections[DEFAULT_DB_ALIAS]
    rows_read = _rows_ahead(database, list(reads)) if sends_directly(database) else {}
    outer = _READ.get()
    all_rows = rows_read if outer is None else outer
    all_rows.update(rows_read)
    token = _READ.set(all_rows)
    try:
        yield
    finally:
        _READ.reset(token)
        if outer is not None:
            for query in rows_read:
                outer.pop(query, None)


def _rows_ahead(
    database: Any, reads: Sequence[PlannedRead]
) -> dict[int, tuple[Mapping[str, Any], list[tuple[Any, ...]]]]:
    """Return what was read, or nothing if a statement fails: it fails again where a page asks for it."""
    prepare_connection(database)
    sent = []
    try:
        with database.wrap_database_errors, database.connection.pipeline():
            for query, values in reads:
                if (statement := query.statement()) is not None:
                    sent.append((query, values, statement.sent(database, values)))
    except DatabaseError:
        if database.in_atomic_block:
            raise
        return {}
    return {id(query): (values, cursor.fetchall()) for query, values, cursor in sent}


def _taken(query: ReadableAhead, values: Mapping[str, Any]) -> list[tuple[Any, ...]] | None:
    """Return the rows that were read ahead, once, or None."""
    rows_read = _READ.get()
    if not rows_read or id(query) not in rows_read:
        return None
    planned, rows = rows_read[id(query)]
    if planned.keys() != values.keys() or not all(_is_same(planned[name], values[name]) for name in values):
        return None
    del rows_read[id(query)]
    return rows


def _is_same(planned: Any, asked: Any) -> bool:
    if isinstance(planned, datetime) and isinstance(asked, datetime):
        return abs(asked - planned) < SAME_TIME
    return bool(planned == asked)
