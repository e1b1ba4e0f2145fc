"""Keyset pagination: pages start at the place of a row in the order and never count rows, so that the last
page is as fast as the first. Rows are mappings or objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from django.db.models import BooleanField, F, Func, QuerySet
from django.db.models import Value as Literal

from iam.prepared_statements import QueryParam

Value = str | datetime
Row = dict[str, Any]
T = TypeVar("T")


class KeysetPlace(NamedTuple):
    """The place of a row in an order: the value of the sort column, and the row's unique id for ties."""

    value: Value
    pk: int | UUID


class ParamPlace(NamedTuple):
    """A place that is only known when a statement is run."""

    value: QueryParam
    pk: QueryParam


@dataclass(frozen=True, slots=True)
class KeysetOrder:
    """An order by a column and, for ties, a unique one, both in the same direction, as in an index."""

    column: str
    tie: str
    descending: bool = False

    def position_of(self, row: Any) -> KeysetPlace:
        """Return the place of a row."""
        if isinstance(row, dict):
            return KeysetPlace(row[self.column], row[self.tie])
        return KeysetPlace(getattr(row, self.column), getattr(row, self.tie))


NEWEST_FIRST = KeysetOrder("created_at", "id", descending=True)


class RowComparison(Func):
    """The comparison that columns come after as many values (or before, with `sign` "<"), as a row.

    As a row comparison, which SQLite and PostgreSQL support, it is a single range of the index; written with
    OR it isn't.
    """

    output_field = BooleanField()
    conditional = True

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> tuple[str, Any]:
        """Return `(a, b) > (x, y)`. The first half of the source expressions are the columns, the second half
        the values.
        """
        sqls: list[str] = []
        params: list[Any] = []
        for expression in self.get_source_expressions():
            sql, own_params = compiler.compile(expression)
            sqls.append(sql)
            params += own_params
        half = len(sqls) // 2
        columns = ", ".join(sqls[:half])
        values = ", ".join(sqls[half:])
        return f"({columns}) {self.extra['sign']} ({values})", params


def rows_beyond(columns: Sequence[str], values: Sequence[Any], *, descending: bool = False) -> RowComparison:
    """Return the condition for rows after a place in the order of several columns, all in one direction. The
    last one is unique.
    """
    sign = "<" if descending else ">"
    return RowComparison(*map(F, columns), *map(_value, values), sign=sign)


def _value(value: Any) -> QueryParam | Literal:
    return value if isinstance(value, QueryParam) else Literal(value)


@dataclass(frozen=True, slots=True)
class RowPage(Generic[T]):
    """A page of rows in the order of the list, and whether there are rows before and after it."""

    rows: list[T]
    has_before: bool
    has_after: bool
    order: KeysetOrder = field(repr=False)

    @property
    def before(self) -> KeysetPlace | None:
        """Where the previous page ends, or None."""
        return self.order.position_of(self.rows[0]) if self.has_before and self.rows else None

    @property
    def after(self) -> KeysetPlace | None:
        """Where the next page begins, or None."""
        return self.order.position_of(self.rows[-1]) if self.has_after and self.rows else None


def page(
    rows: QuerySet[Any, T],
    *,
    order: KeysetOrder,
    size: int,
    after: KeysetPlace | None = None,
    before: KeysetPlace | None = None,
) -> RowPage[T]:
    """Return the page after a place, or before one, or the first, with one query. Mappings need both columns.

    The row at the place needn't exist any more.
    """
    page_rows = list(window(rows, order=order, size=size, after=after, before=before))
    return trim(page_rows, order=order, size=size, after=after, before=before)


def window(
    rows: QuerySet[Any, T],
    *,
    order: KeysetOrder,
    size: int,
    after: KeysetPlace | ParamPlace | None = None,
    before: KeysetPlace | ParamPlace | None = None,
) -> QuerySet[Any, T]:
    """Return the rows of such a page, starting next to the place, and one more if there is one."""
    is_descending = order.descending != (before is not None)
    place = before or after
    if place:
        rows = rows.filter(rows_beyond((order.column, order.tie), place, descending=is_descending))
    column = F(order.column)
    tie = F(order.tie)
    if is_descending:
        rows = rows.order_by(column.desc(), tie.desc())
    else:
        rows = rows.order_by(column.asc(), tie.asc())
    return rows[: size + 1]


def trim(
    page_rows: list[T],
    *,
    order: KeysetOrder,
    size: int,
    after: KeysetPlace | None,
    before: KeysetPlace | None,
) -> RowPage[T]:
    """Return the page of a window, in the order of the list."""
    more, page_rows = len(page_rows) > size, page_rows[:size]
    if before is not None:
        return RowPage(page_rows[::-1], has_before=more, has_after=True, order=order)
    return RowPage(page_rows, has_before=after is not None, has_after=more, order=order)


def pages(rows: QuerySet[Any, T], *, order: KeysetOrder, size: int) -> Iterator[list[T]]:
    """Yield all rows in pages, with one query and the memory of one page each."""
    place: KeysetPlace | None = None
    while True:
        part = page(rows, order=order, size=size, after=place)
        if part.rows:
            yield part.rows
        place = part.after
        if place is None:
            return
