"""Reads mirror rows as tuples and caches converted values: after one change, almost the whole account is
unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

VALUES_KEPT: Final = 50_000
"""The maximum for each type of column."""
TIME: Final = "DateTimeField"
TIME_AS_TEXT: Final = {"postgresql": "{}::text", "sqlite": "+{}"}
"""SQL for a time as text, so that the driver doesn't parse each one anew. In SQLite, the result of an
expression has no type, and so no converter.
"""
Convert = Callable[[Any], Any]
_converts: dict[str, Convert] = {}


def rows_read(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """The rows of a `values_list`. One query.

    Values parsed from equal JSON are shared, so callers must not modify them.
    """
    compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
    try:
        sql, params = compiler.as_sql(with_col_aliases=True)
    except EmptyResultSet:
        return []
    expressions = [expression for expression, _, _ in compiler.select]
    converters = compiler.get_converters(expressions)
    converts = {place: _convert(*converter) for place, converter in converters.items()}
    names = [connection.ops.quote_name(alias) for _, _, alias in compiler.select]
    times = [place for place, expression in enumerate(expressions) if _type_of(expression) == TIME]
    for place in times:
        names[place] = TIME_AS_TEXT[connection.vendor].format(names[place])
        # SQLite has a converter that parses text.
        converts.setdefault(place, _convert([_parsed], expressions[place]))
    if times:
        sql = f"SELECT {', '.join(names)} FROM ({sql}) AS rows_read"  # noqa: S608, from the compiler
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        read = cursor.fetchall()
    if not read or not converts:
        return list(read)
    columns: list[Iterable[Any]] = list(zip(*read, strict=True))
    for place, convert in converts.items():
        columns[place] = map(convert, columns[place])
    return list(zip(*columns, strict=True))


def _convert(steps: Sequence[Callable[..., Any]], expression: Any) -> Convert:
    """The function that converts database values of a column type."""
    kind = _type_of(expression)
    if kind not in _converts:

        def convert(value: Any) -> Any:
            for step in steps:
                value = step(value, expression, connection)
            return value

        _converts[kind] = lru_cache(maxsize=VALUES_KEPT)(convert)
    return _converts[kind]


def _type_of(expression: Any) -> str:
    return str(expression.output_field.get_internal_type())


def _parsed(text: str | None, _expression: Any, database: BaseDatabaseWrapper) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(database.timezone) if text else None


def forget() -> None:
    """Clear the cache."""
    _converts.clear()
