"""Query sets that are compiled once: the ORM writes the statement, and each request only fills in its values.

It is for queries that every page runs in the same shape. Compiling such a statement with the ORM takes ten
times as long as executing it. PostgreSQL also parses and plans it once per connection: a statement that was
run several times there is prepared (`prepare_threshold` in console.env). A page that runs many of them can
send several at once: see `read_ahead`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any, Final, NamedTuple, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, DatabaseError, NotSupportedError, connection, connections
from django.db.models import DateTimeField, Expression, Field, Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)
POSTGRESQL: Final = "postgresql"
MARK: Final = "\ue000"
"""Encloses the name of a parameter while constants are written into a statement."""
MARKED: Final = re.compile(f"'{MARK}([a-z0-9_]+){MARK}'")
SCOPES_KEPT = 256
"""Number of scopes for which scope-dependent statements are cached."""


class QueryParam(Expression):
    """A placeholder in a query set for a value of a field's type that is only known when the statement is
    run.
    """

    def __init__(self, name: str, output_field: Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        """Return the object itself as its parameter, which marks its position."""
        return "%s", [self]


class _Statement(NamedTuple):
    """A statement with placeholders by position, or by name if the constants are in the text. `numbered` is
    the form that PostgreSQL's protocol has ($1), or "" for other databases.
    """

    sql: str
    params: Sequence[Any] | Mapping[str, QueryParam]
    numbered: str = ""

    def rows(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute the statement with these parameter values."""
        database = connections[DEFAULT_DB_ALIAS]
        if not self.numbered or not _sends_directly(database):
            with database.cursor() as cursor:
                cursor.execute(self.sql, self._filled(values))
                rows: list[tuple[Any, ...]] = cursor.fetchall()
                return rows
        try:
            return self._direct_rows(database, values)
        except NotSupportedError:
            if database.in_atomic_block:
                # A prepared statement is discarded with the transaction.
                raise
            # A migration has changed the type of a column since the statement was prepared.
            with database.cursor() as cursor:
                cursor.execute("DEALLOCATE ALL")
            return self._direct_rows(database, values)

    def _direct_rows(self, database: Any, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        _prepare_connection(database)
        with database.wrap_database_errors, self.sent(database, values) as cursor:
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def sent(self, database: Any, values: Mapping[str, Any]) -> Any:
        """Send the statement to PostgreSQL, with its values beside it: the server only prepares such
        statements. Returns the driver's cursor.
        """
        cursor = _driver().cursor(database.connection)
        cursor.execute(self.numbered, list(self._filled(values).values()))
        return cursor

    def _filled(self, values: Mapping[str, Any]) -> Any:
        if isinstance(self.params, Mapping):
            return {name: _sized(_filled(param, values)) for name, param in self.params.items()}
        return [_filled(param, values) for param in self.params]


class _Compiled(NamedTuple):
    query: Any
    names: Sequence[str]
    statement: _Statement
    converters: Mapping[int, Any]
    objects: _ObjectReader | None


class _ObjectReader(NamedTuple):
    """How a row becomes an object: its class, its attributes and columns, and the populators of related
    objects.
    """

    model: type[Model]
    names: Sequence[str]
    columns: slice
    populators: Sequence[Any]

    def read(self, row: Sequence[Any]) -> Any:
        """Return the object with its related ones."""
        read = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.columns])
        for populator in self.populators:
            populator.populate(row, read)
        return read


class ReadableAhead(ABC):
    """A query whose rows a page can read with those of others, before it asks for them."""

    @abstractmethod
    def statement(self) -> _Statement | None:
        """Return the compiled statement, or None if the result is certainly empty."""

    def planned(self, **values: Any) -> PlannedRead:
        """Return what `read_ahead` reads for a later call with these values."""
        return PlannedRead(self, values)

    def _fetched(self, statement: _Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
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


class CompiledQuery(ReadableAhead):
    """A query compiled at its first run. `make` returns a query set, with or without parameters: of `values`
    or `values_list`, or of objects, possibly with `select_related` and `only`.

    It only depends on its parameters, and on the database, of which a process has one.
    """

    def __init__(self, make: Callable[[], QuerySet[Any, Any]]) -> None:
        self._make = make
        self._compiled: _Compiled | None = None

    def statement(self) -> _Statement | None:
        """Return the compiled statement, or None if the result is certainly empty."""
        try:
            compiled = self._compiled = self._compiled or self._compile()
        except EmptyResultSet:
            return None
        return compiled.statement

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows, with values converted as by the query set. One query, or none if the result is
        certainly empty.
        """
        statement, compiled = self.statement(), self._compiled
        if statement is None or compiled is None:
            return []
        rows = self._fetched(statement, values)
        if not compiled.converters:
            return rows
        compiler = compiled.query.get_compiler(DEFAULT_DB_ALIAS)
        return [tuple(row) for row in compiler.apply_converters(rows, compiled.converters)]

    def mappings(self, **values: Any) -> list[dict[str, Any]]:
        """Return the rows as mappings by column name."""
        rows = self.rows(**values)
        return [dict(zip(self._compiled.names, row, strict=True)) for row in rows] if self._compiled else []

    def objects(self, **values: Any) -> list[Any]:
        """Return the objects, with those selected by `select_related`."""
        rows = self.rows(**values)
        if self._compiled is None or self._compiled.objects is None:
            return []
        return [self._compiled.objects.read(row) for row in rows]

    def _compile(self) -> _Compiled:
        query = self._make().query
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
        objects = _object_reader(compiler) if compiler.klass_info else None
        return _Compiled(query, list(query.selected or ()), _statement(sql, params), converters, objects)


class CompiledQueryAt:
    """A query about a time, compiled once for now and once for all past times. `make` gets the time as None
    or as a parameter.
    """

    def __init__(self, make: Callable[[Any], QuerySet[Any, Any]]) -> None:
        self._now = CompiledQuery(lambda: make(None))
        self._then = CompiledQuery(lambda: make(QueryParam("at", DateTimeField())))

    def rows(self, at: datetime | None, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows as of the time (None: now)."""
        return self._now.rows(**values) if at is None else self._then.rows(at=at, **values)

    def objects(self, at: datetime | None, **values: Any) -> list[Any]:
        """Return the objects as of the time (None: now)."""
        return self._now.objects(**values) if at is None else self._then.objects(at=at, **values)

    def number(self, at: datetime | None, **values: Any) -> int:
        """Return the value of a query with one row and column, or 0 if it has no row."""
        rows = self.rows(at, **values)
        return rows[0][0] if rows else 0


class WrittenQuery(ReadableAhead):
    """A statement in SQL without parameters, where the ORM can't write it or not well."""

    def __init__(self, sql: str) -> None:
        self._sql = sql

    @cached_property
    def _statement(self) -> _Statement:
        return _statement(self._sql, ())

    def statement(self) -> _Statement:
        """Return the statement."""
        return self._statement

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows."""
        return self._fetched(self._statement, {})


class CompiledCounts(ReadableAhead):
    """The number of rows of several query sets, each at most `most`, as one query compiled at its first run.
    The query sets can have parameters.
    """

    def __init__(self, make: Callable[[], Sequence[QuerySet[Any, Any]]], *, most: int) -> None:
        self._make = make
        self._most = most
        self._compiled: _Statement | None = None
        self._nothing: list[int] | None = None

    def statement(self) -> _Statement | None:
        """Return the compiled statement, or None if all counts are certainly 0."""
        statement = self._compiled = self._compiled or self._compile()
        return statement if self._nothing is None else None

    def numbers(self, **values: Any) -> list[int]:
        """Return the counts in the order of the query sets."""
        statement = self.statement()
        if statement is None:
            return list(self._nothing or ())
        return list(self._fetched(statement, values)[0])

    def _compile(self) -> _Statement:
        parts: list[str] = []
        params: list[Any] = []
        for rows in self._make():
            try:
                sql, values = rows.order_by()[: self._most].query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
            except EmptyResultSet:
                parts.append("0")
                continue
            parts.append(f"(SELECT COUNT(*) FROM ({sql}) part)")  # noqa: S608
            params.extend(values)
        if not params and set(parts) <= {"0"}:
            self._nothing = [0] * len(parts)
        return _statement(f"SELECT {', '.join(parts)}", params)


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
    rows_read = _rows_ahead(database, list(reads)) if _sends_directly(database) else {}
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
    _prepare_connection(database)
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


def _sends_directly(database: Any) -> bool:
    """Return True if statements go to PostgreSQL without Django's cursor, which takes as long as to send one.
    Its cursor logs statements, and calls what wraps them.
    """
    is_observed = database.queries_logged or database.execute_wrappers
    return database.vendor == POSTGRESQL and not is_observed


def _prepare_connection(database: Any) -> None:
    """Do what Django's cursor does first."""
    database.close_if_health_check_failed()
    database.ensure_connection()
    database.validate_no_broken_transaction()


class _Driver(NamedTuple):
    cursor: Any
    whole_number: Any


@cache
def _driver() -> _Driver:
    """Return the PostgreSQL driver. It is loaded when needed, because it takes 12 MB per process."""
    from psycopg import RawCursor
    from psycopg.types.numeric import Int8

    return _Driver(RawCursor, Int8)


def _statement(sql: str, params: Sequence[Any]) -> _Statement:
    """Return the statement to run. On PostgreSQL a repeated parameter is passed once, because the server
    would otherwise treat the same expression in SELECT and GROUP BY as different.
    """
    if connection.vendor != POSTGRESQL:
        return _Statement(sql, params)
    by_name = {param.name: param for param in params if isinstance(param, QueryParam)}
    operations: Any = connection.ops
    text = operations.compose_sql(sql, list(map(_marked, params)))
    number_of = {name: f"${number}" for number, name in enumerate(by_name, start=1)}
    numbered = MARKED.sub(lambda match: number_of[match.group(1)], text)
    return _Statement(MARKED.sub(r"%(\1)s", text.replace("%", "%%")), by_name, numbered)


def _marked(param: Any) -> Any:
    return f"{MARK}{param.name}{MARK}" if isinstance(param, QueryParam) else param


def _object_reader(compiler: Any) -> _ObjectReader:
    """Prepare what the ORM does for each row of a query set."""
    kind, select = compiler.klass_info, compiler.select
    first, last = kind["select_fields"][0], kind["select_fields"][-1]
    names = [column[0].target.attname for column in select[first : last + 1]]
    # The type stubs are for a later Django, which takes one more argument.
    populators = get_related_populators(kind, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
    return _ObjectReader(kind["model"], names, slice(first, last + 1), populators)


def _filled(param: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(param, QueryParam):
        return param
    return cast(Any, param.output_field).get_db_prep_value(values[param.name], connection)


def _sized(value: Any) -> Any:
    """Return an integer always as the same type. Otherwise its size would choose one of three types, each
    with its own prepared statement.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _driver().whole_number(value)
    return value


def columns(model: type[Model]) -> tuple[str, ...]:
    """Return the columns that a statement must select for `instance`."""
    return tuple(field.attname for field in model._meta.concrete_fields)


def instance(model: type[M], values: Sequence[Any]) -> M:
    """Return an object from the values of its `columns`, as if its query set had read it."""
    return model.from_db(DEFAULT_DB_ALIAS, columns(model), values)
