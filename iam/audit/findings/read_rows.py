"""Rows of the mirror as tuples, with values that this process has read before converted no second time: a
calculation after one change reads a whole account in which almost everything is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet

VALUES_KEPT: Final = 50_000
"""Of each type of column."""
Convert = Callable[[Any], Any]
_converts: dict[str, Convert] = {}


def rows_read(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """The rows of a `values_list`. What was read from JSON is shared by all who read the same text: nobody
    may change it. One query.
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
    """What makes a value of what the database gave, by the type of the column."""
    kind = expression.output_field.get_internal_type()
    if kind not in _converts:

        def convert(value: Any) -> Any:
            for step in steps:
                value = step(value, expression, connection)
            return value

        _converts[kind] = lru_cache(maxsize=VALUES_KEPT)(convert)
    return _converts[kind]


def forget() -> None:
    """Drop everything that this process keeps."""
    _converts.clear()
