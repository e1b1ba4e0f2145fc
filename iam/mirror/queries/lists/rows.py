"""The base queries for the rows of all lists, and the data of other tables for the rows of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import BigAutoField, F, FilteredRelation, IntegerField, Q, QuerySet, Subquery

from iam.compiled_queries import CompiledQuery
from iam.keyset import Row
from iam.mirror.models import Edge, Entity, valid_at
from iam.mirror.queries.lists.context import ListViewpoint, States
from iam.mirror.queries.visibility import visible_states
from iam.prepared_statements import QueryParam

PAGE = 50
ALWAYS = Q()


def states(context: ListViewpoint, *kinds: str) -> States:
    """Return the visible states of these kinds."""
    wanted = Q(kind=kinds[0]) if len(kinds) == 1 else Q(kind__in=kinds)
    rows: States = visible_states(context.viewer, at=context.at, kinds=kinds).filter(
        wanted & of_account(context)
    )
    return rows


def of_account(context: ListViewpoint) -> Q:
    """Return the condition for rows of the list's account, if it has one."""
    return Q(account=context.account) if context.account else ALWAYS


COMMON = (
    "entity",
    "name",
    "sort_name",
    "arn",
    "path",
    "created_at",
    "aws_id",
    "number",
    "account_name",
    "gone_at",
)


def common(rows: States) -> States:
    """Add the columns of every list: the unique ID, the time of deletion, and the account."""
    shown: States = rows.annotate(
        aws_id=F("entity__aws_id"),
        gone_at=F("entity__gone_at"),
        number=F("account__account_id"),
        account_name=F("account__name"),
    )
    return shown


def any_condition(wanted: Mapping[str, Q], values: list[str]) -> Q:
    """Return the condition that at least one of the named conditions is true."""
    chosen = Q(pk__in=[])
    for value in values:
        chosen |= wanted[value]
    return chosen


def fact_at(relation: str, at: datetime | None) -> FilteredRelation:
    """Return the relation limited to rows valid at a time. There is at most one per row if the relation has
    one fact at a time.
    """
    return FilteredRelation(relation, condition=valid_at(at, prefix=f"{relation}__"))


def edges_at(at: datetime | None, kind: str) -> QuerySet[Edge]:
    """Return the edges of a kind that were valid at the time."""
    return Edge.objects.filter(valid_at(at), kind=kind)


class RowCount(Subquery):
    """The number of rows of a query, as a value in another query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


Tallied = Callable[[datetime | None], Mapping[str, QuerySet[Any, Any] | Subquery]]


def tallies(context: ListViewpoint, page_rows: list[Row], make: Tallied) -> None:
    """Add to each row the row count of each query, or its single value. `OuterRef("pk")` is the row's entity.
    One query.
    """
    pks = [row["entity"] for row in page_rows]
    if context.at is None and fits_statement(pks):
        known = _tallied_today(make).mappings(**filled(pks))
    else:
        known = list(_tallied(make(context.at), pks))
    by_pk = {values["pk"]: values for values in known}
    for row in page_rows:
        row |= by_pk[row["entity"]]


@lru_cache
def _tallied_today(make: Tallied) -> CompiledQuery:
    return CompiledQuery(lambda: _tallied(make(None), ROWS))


def _tallied(
    values: Mapping[str, QuerySet[Any, Any] | Subquery], among: Sequence[Any]
) -> QuerySet[Any, dict[str, Any]]:
    columns: dict[str, Subquery] = {}
    for name, value in values.items():
        columns[name] = value if isinstance(value, Subquery) else RowCount(value.values("pk"))
    rows: QuerySet[Any, Any] = Entity.objects.filter(pk__in=among).annotate(**columns).values("pk", *columns)
    return rows


ROWS = [QueryParam(f"row{number}", BigAutoField()) for number in range(PAGE)]
"""Parameters for the entity ids of a page, in a cached statement."""


def fits_statement(pks: list[int]) -> bool:
    """Return True if a statement with `ROWS` can take these ids."""
    return 0 < len(pks) <= len(ROWS)


def filled(pks: list[int]) -> dict[str, int]:
    """Return the values of `ROWS`. A shorter page repeats its last id, which returns no row twice."""
    return {param.name: pks[min(at, len(pks) - 1)] for at, param in enumerate(ROWS)}
