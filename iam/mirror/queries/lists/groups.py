"""The list of IAM groups, with their numbers of users and policies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.keyset import Row
from iam.mirror.models import NEVER, EdgeKind, InlinePolicy, Kind, valid_at
from iam.mirror.queries.lists.context import ListContext, ListViewpoint, States
from iam.mirror.queries.lists.core import ListDefinition, ListSort, ListTab
from iam.mirror.queries.lists.rows import ALWAYS, COMMON, any_condition, common, edges_at, states, tallies

SORTS = {
    "name": ListSort("sort_name", past="yes"),
    "created": ListSort("created_at", kind=datetime, floor=NEVER),
}


def rows(context: ListViewpoint, sort: str = "name") -> States:
    """Groups."""
    shown: States = common(states(context, Kind.GROUP)).values(*COMMON)
    return shown


def _empty(context: ListContext) -> Q:
    return ~Q(Exists(edges_at(context.at, EdgeKind.MEMBER).filter(target=OuterRef("entity"))))


def _powerless(context: ListContext) -> Q:
    attached = edges_at(context.at, EdgeKind.ATTACHED).filter(source=OuterRef("entity"))
    inline = InlinePolicy.objects.filter(valid_at(context.at), owner=OuterRef("entity"))
    return ~Q(Exists(attached)) & ~Q(Exists(inline))


TABS = {
    "all": ListTab(lambda context: ALWAYS, lambda context: states(context, Kind.GROUP)),
    "empty": ListTab(_empty, lambda context: states(context, Kind.GROUP).filter(_empty(context))),
    "no-policy": ListTab(_powerless, lambda context: states(context, Kind.GROUP).filter(_powerless(context))),
}


def _people(context: ListContext, values: list[str]) -> Q:
    return any_condition({"none": _empty(context), "some": ~_empty(context)}, values)


def complete(context: ListContext, page_rows: list[Row]) -> None:
    """Add the numbers of members and of attached and inline policies, with one query."""
    tallies(context, page_rows, _numbers)


def _numbers(at: datetime | None) -> dict[str, QuerySet[Any, Any]]:
    return {
        "members": edges_at(at, EdgeKind.MEMBER).filter(target=OuterRef("pk")),
        "attached": edges_at(at, EdgeKind.ATTACHED).filter(source=OuterRef("pk")),
        "inline": InlinePolicy.objects.filter(valid_at(at), owner=OuterRef("pk")),
    }


GROUPS = ListDefinition(
    name="groups",
    kinds=(Kind.GROUP,),
    rows=rows,
    sorts=SORTS,
    tabs=TABS,
    filters={"people": _people},
    complete=complete,
    sections=("groups", "users"),
)
