"""The list of managed policies: owner, number of attachments, versions, and last update."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet

from iam.keyset import Row
from iam.mirror.models import NEVER, EdgeKind, Kind, PolicyVersion, valid_at
from iam.mirror.queries.lists.context import ListContext, ListViewpoint, States
from iam.mirror.queries.lists.core import ListDefinition, ListSort, ListTab
from iam.mirror.queries.lists.rows import ALWAYS, COMMON, any_condition, common, edges_at, states, tallies

SORTS = {
    "name": ListSort("sort_name", past="yes"),
    "created": ListSort("created_at", kind=datetime, floor=NEVER),
}


def rows(context: ListViewpoint, sort: str = "name") -> States:
    """Return managed policies with their owner and attributes."""
    shown: States = common(states(context, Kind.POLICY)).values(*COMMON, "category", "attrs")
    return shown


def _used(context: ListContext) -> Q:
    """Return the condition for policies that are attached or used as a boundary."""
    attached = edges_at(context.at, EdgeKind.ATTACHED).values("target")
    return Q(entity__in=attached) | Q(entity__in=edges_at(context.at, EdgeKind.BOUNDARY).values("target"))


def _policies(context: ListContext) -> QuerySet[Any, Any]:
    return states(context, Kind.POLICY)


def _unattached(context: ListContext) -> Q:
    return Q(category="customer") & ~_used(context)


TABS = {
    "all": ListTab(lambda context: ALWAYS, _policies),
    "customer": ListTab(
        lambda context: Q(category="customer"), lambda context: _policies(context).filter(category="customer")
    ),
    "aws": ListTab(
        lambda context: Q(category="aws"), lambda context: _policies(context).filter(category="aws")
    ),
    "unattached": ListTab(_unattached, lambda context: _policies(context).filter(_unattached(context))),
    "boundaries": ListTab(
        lambda context: Q(entity__in=edges_at(context.at, EdgeKind.BOUNDARY).values("target")),
        lambda context: _policies(context).filter(
            entity__in=edges_at(context.at, EdgeKind.BOUNDARY).values("target")
        ),
    ),
}


def _owner(context: ListContext, values: list[str]) -> Q:
    return Q(category__in=values)


def _attached(context: ListContext, values: list[str]) -> Q:
    return any_condition({"yes": _used(context), "no": ~_used(context)}, values)


def complete(context: ListContext, page_rows: list[Row]) -> None:
    """Add the number of attachments, of uses as boundary, and of versions, with one query."""
    tallies(context, page_rows, _numbers)
    for row in page_rows:
        row["default_version"] = row["attrs"].get("DefaultVersionId", "")
        row["updated_at"] = moment_of(row["attrs"].get("UpdateDate", ""))


def _numbers(at: datetime | None) -> dict[str, QuerySet[Any, Any]]:
    return {
        "attached": edges_at(at, EdgeKind.ATTACHED).filter(target=OuterRef("pk")),
        "bounds": edges_at(at, EdgeKind.BOUNDARY).filter(target=OuterRef("pk")),
        "version_count": PolicyVersion.objects.filter(valid_at(at), policy=OuterRef("pk")),
    }


def moment_of(text: str) -> datetime | None:
    """Return a time from an attribute (ISO 8601), or None."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        return None


POLICIES = ListDefinition(
    name="policies",
    kinds=(Kind.POLICY,),
    rows=rows,
    sorts=SORTS,
    tabs=TABS,
    filters={"owner": _owner, "attached": _attached},
    complete=complete,
    sections=("policies", "users", "groups", "roles"),
)
