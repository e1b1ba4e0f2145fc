"""The list of instance profiles, with the role in each and the number of instances."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from iam.keyset import Row
from iam.mirror.models import NEVER, EdgeKind, Kind, Section
from iam.mirror.queries.lists.context import ListContext, ListViewpoint, States
from iam.mirror.queries.lists.core import ListDefinition, ListSort, ListTab
from iam.mirror.queries.lists.rows import ALWAYS, COMMON, any_condition, common, edges_at, states, tallies

SORTS = {
    "name": ListSort("sort_name", past="yes"),
    "created": ListSort("created_at", kind=datetime, floor=NEVER),
}


def rows(context: ListViewpoint, sort: str = "name") -> States:
    """Instance profiles."""
    shown: States = common(states(context, Kind.INSTANCE_PROFILE)).values(*COMMON)
    return shown


def _profiles(context: ListContext) -> QuerySet[Any, Any]:
    return states(context, Kind.INSTANCE_PROFILE)


def _with_role(context: ListContext) -> Q:
    return Q(entity__in=edges_at(context.at, EdgeKind.PROFILE_ROLE).values("source"))


def _unused(context: ListContext) -> Q:
    """Return profiles without an instance, in accounts whose instances were synced."""
    read = Section.objects.filter(name="instances", observed_at__isnull=False).values("account")
    return Q(account__in=read) & ~Q(
        entity__in=edges_at(context.at, EdgeKind.INSTANCE_PROFILE).values("target")
    )


TABS = {
    "all": ListTab(lambda context: ALWAYS, _profiles),
    "no-role": ListTab(
        lambda context: ~_with_role(context), lambda context: _profiles(context).filter(~_with_role(context))
    ),
    "unused": ListTab(_unused, lambda context: _profiles(context).filter(_unused(context))),
}


def _role(context: ListContext, values: list[str]) -> Q:
    return any_condition({"yes": _with_role(context), "no": ~_with_role(context)}, values)


def complete(context: ListContext, page_rows: list[Row]) -> None:
    """Add the role (its id and name), the number of instances, and whether instances were synced, with one
    query.
    """
    tallies(context, page_rows, _use)


def _use(at: datetime | None) -> dict[str, QuerySet[Any, Any] | Subquery]:
    role = edges_at(at, EdgeKind.PROFILE_ROLE).filter(source=OuterRef("pk"))
    read = Section.objects.filter(account=OuterRef("account"), name="instances")
    return {
        "role_pk": Subquery(role.values("target")[:1]),
        "role": Subquery(role.values("target__name")[:1]),
        "instances_read": Subquery(read.values("observed_at")[:1]),
        "instances": edges_at(at, EdgeKind.INSTANCE_PROFILE).filter(target=OuterRef("pk")),
    }


INSTANCE_PROFILES = ListDefinition(
    name="instance-profiles",
    kinds=(Kind.INSTANCE_PROFILE,),
    rows=rows,
    sorts=SORTS,
    tabs=TABS,
    filters={"role": _role},
    complete=complete,
    sections=("instance_profiles", "instances"),
)
