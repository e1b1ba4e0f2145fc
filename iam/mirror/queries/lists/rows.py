"""The queries that the rows of all lists are made of, and what other tables know of the rows of one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import BigAutoField, F, FilteredRelation, IntegerField, Q, QuerySet, Subquery

from iam.compiled_queries import CompiledQuery, QueryParam
from iam.keyset import Row
from iam.mirror.models import Edge, Entity, valid_at
from iam.mirror.queries.lists.context import ListViewpoint, States
from iam.mirror.queries.visibility import visible_states

PAGE = 50
ALWAYS = Q()


def states(context: ListViewpoint, *kinds: str) -> States:
    """The states of these kinds that are seen."""
    wanted = Q(kind=kinds[0]) if len(kinds) == 1 else Q(kind__in=kinds)
    rows: States = visible_states(context.viewer, at=context.at, kinds=kinds).filter(
        wanted & of_account(context)
    )
    return rows


def of_account(context: ListViewpoint) -> Q:
    """Rows of the one account, if there is one."""
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
    """What every list shows of a row: its unique id, whether it is gone by now, and its account."""
    shown: States = rows.annotate(
        aws_id=F("entity__aws_id"),
        gone_at=F("entity__gone_at"),
        number=F("account__account_id"),
        account_name=F("account__name"),
    )
    return shown


def any_condition(wanted: Mapping[str, Q], values: list[str]) -> Q:
    """Rows for which one of the named conditions holds."""
    chosen = Q(pk__in=[])
    for value in values:
        chosen |= wanted[value]
    return chosen


def fact_at(relation: str, at: datetime | None) -> FilteredRelation:
    """The rows of a relation that held at a moment, at most one for each row where the relation holds one
    fact at a time.
    """
    return FilteredRelation(relation, condition=valid_at(at, prefix=f"{relation}__"))


def edges_at(at: datetime | None, kind: str) -> QuerySet[Edge]:
    """The edges of a kind that held at the moment."""
    return Edge.objects.filter(valid_at(at), kind=kind)


class RowCount(Subquery):
    """How many rows a query has, as one value within another query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


Tallied = Callable[[datetime | None], Mapping[str, QuerySet[Any, Any] | Subquery]]


def tallies(context: ListViewpoint, page_rows: list[Row], make: Tallied) -> None:
    """Adds to each row how many rows each query has, or its one value; `OuterRef("pk")` is the row's entity.
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
"""The numbers of the entities of a page, in a statement that is kept."""


def fits_statement(pks: list[int]) -> bool:
    """Whether a statement with `ROWS` serves these."""
    return 0 < len(pks) <= len(ROWS)


def filled(pks: list[int]) -> dict[str, int]:
    """The values of `ROWS`: a shorter page repeats its last row, of which nothing comes twice."""
    return {param.name: pks[min(at, len(pks) - 1)] for at, param in enumerate(ROWS)}
