"""Reads mirror rows as tuples and caches converted values: after one change, almost the whole account is
unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet

VALUES_KEPT: Final = 50_000
"""The maximum for each type of column."""
Convert = Callable[[Any], Any]
_converts: dict[str, Convert] = {}


def rows_read(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """The rows of a `values_list`. One query.

    Values parsed from equal JSON are shared, so callers must not modify them.
    """
    compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        return []
    converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        read = cursor.fetchall()
    if not read or not converters:
        return list(read)
    columns: list[Iterable[Any]] = list(zip(*read, strict=True))
    for place, (steps, expression) in converters.items():
        columns[place] = map(_convert(steps, expression), columns[place])
    return list(zip(*columns, strict=True))


def _convert(steps: Sequence[Callable[..., Any]], expression: Any) -> Convert:
    """The function that converts database values of a column type."""
    kind = expression.output_field.get_internal_type()
    if kind not in _converts:

        def convert(value: Any) -> Any:
            for step in steps:
                value = step(value, expression, connection)
            return value

        _converts[kind] = lru_cache(maxsize=VALUES_KEPT)(convert)
    return _converts[kind]


def forget() -> None:
    """Clear the cache."""
    _converts.clear()
