"""SQL statements that are written once and run with other values each time.

They go to PostgreSQL in its own form, past Django's cursor. The server parses and plans a statement once per
connection: one that was run several times is prepared (`prepare_threshold` in console.env).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, cast

from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connection, connections
from django.db.models import Expression, Field
from django.db.models.sql.compiler import SQLCompiler

POSTGRESQL: Final = "postgresql"
MARK: Final = "\ue000"
"""Encloses the name of a parameter while constants are written into a statement."""
MARKED: Final = re.compile(f"'{MARK}([a-z0-9_]+){MARK}'")


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


class PreparedStatement(NamedTuple):
    """A statement with placeholders by position, or by name if the constants are in the text. `numbered` is
    the form that PostgreSQL's protocol has ($1), or "" for other databases.
    """

    sql: str
    params: Sequence[Any] | Mapping[str, QueryParam]
    numbered: str = ""

    def rows(self, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute the statement with these parameter values."""
        database = connections[DEFAULT_DB_ALIAS]
        if not self.numbered or not sends_directly(database):
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
        prepare_connection(database)
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


def sends_directly(database: Any) -> bool:
    """Return True if statements go to PostgreSQL without Django's cursor, which takes as long as to send one.
    Its cursor logs statements, and calls what wraps them.
    """
    is_observed = database.queries_logged or database.execute_wrappers
    return database.vendor == POSTGRESQL and not is_observed


def prepare_connection(database: Any) -> None:
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


def prepared(sql: str, params: Sequence[Any]) -> PreparedStatement:
    """Return the statement to run. On PostgreSQL a repeated parameter is passed once, because the server
    would otherwise treat the same expression in SELECT and GROUP BY as different.
    """
    if connection.vendor != POSTGRESQL:
        return PreparedStatement(sql, params)
    by_name = {param.name: param for param in params if isinstance(param, QueryParam)}
    operations: Any = connection.ops
    text = operations.compose_sql(sql, list(map(_marked, params)))
    number_of = {name: f"${number}" for number, name in enumerate(by_name, start=1)}
    numbered = MARKED.sub(lambda match: number_of[match.group(1)], text)
    return PreparedStatement(MARKED.sub(r"%(\1)s", text.replace("%", "%%")), by_name, numbered)


def _marked(param: Any) -> Any:
    return f"{MARK}{param.name}{MARK}" if isinstance(param, QueryParam) else param


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
