"""Query sets that are compiled once: the ORM writes the statement, and each request only fills in its values.

It is for queries that every page runs in the same shape. Compiling such a statement with the ORM takes ten
times as long as executing it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS
from django.db.models import DateTimeField, Model, QuerySet
from django.db.models.query import get_related_populators

from iam.planned_reads import ReadableAhead
from iam.prepared_statements import PreparedStatement, QueryParam, prepared

M = TypeVar("M", bound=Model)
SCOPES_KEPT = 256
"""Number of scopes for which scope-dependent statements are cached."""


class _Compiled(NamedTuple):
    query: Any
    names: Sequence[str]
    statement: PreparedStatement
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


class CompiledQuery(ReadableAhead):
    """A query compiled at its first run. `make` returns a query set, with or without parameters: of `values`
    or `values_list`, or of objects, possibly with `select_related` and `only`.

    It only depends on its parameters, and on the database, of which a process has one.
    """

    def __init__(self, make: Callable[[], QuerySet[Any, Any]]) -> None:
        self._make = make
        self._compiled: _Compiled | None = None

    def statement(self) -> PreparedStatement | None:
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
        return _Compiled(query, list(query.selected or ()), prepared(sql, params), converters, objects)


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
    def _statement(self) -> PreparedStatement:
        return prepared(self._sql, ())

    def statement(self) -> PreparedStatement:
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
        self._compiled: PreparedStatement | None = None
        self._nothing: list[int] | None = None

    def statement(self) -> PreparedStatement | None:
        """Return the compiled statement, or None if all counts are certainly 0."""
        statement = self._compiled = self._compiled or self._compile()
        return statement if self._nothing is None else None

    def numbers(self, **values: Any) -> list[int]:
        """Return the counts in the order of the query sets."""
        statement = self.statement()
        if statement is None:
            return list(self._nothing or ())
        return list(self._fetched(statement, values)[0])

    def _compile(self) -> PreparedStatement:
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
        return prepared(f"SELECT {', '.join(parts)}", params)


def _object_reader(compiler: Any) -> _ObjectReader:
    """Prepare what the ORM does for each row of a query set."""
    kind, select = compiler.klass_info, compiler.select
    first, last = kind["select_fields"][0], kind["select_fields"][-1]
    names = [column[0].target.attname for column in select[first : last + 1]]
    # The type stubs are for a later Django, which takes one more argument.
    populators = get_related_populators(kind, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
    return _ObjectReader(kind["model"], names, slice(first, last + 1), populators)


def columns(model: type[Model]) -> tuple[str, ...]:
    """Return the columns that a statement must select for `instance`."""
    return tuple(field.attname for field in model._meta.concrete_fields)


def instance(model: type[M], values: Sequence[Any]) -> M:
    """Return an object from the values of its `columns`, as if its query set had read it."""
    return model.from_db(DEFAULT_DB_ALIAS, columns(model), values)
