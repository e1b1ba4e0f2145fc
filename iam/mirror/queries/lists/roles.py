"""The list of IAM roles: who can assume each, last use, policies and boundary."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from iam.keyset import Row
from iam.mirror.models import NEVER, EdgeKind, InlinePolicy, Kind, Usage, valid_at
from iam.mirror.queries.lists.context import ListContext, ListViewpoint, States
from iam.mirror.queries.lists.core import ListDefinition, ListSort, ListTab
from iam.mirror.queries.lists.rows import (
    ALWAYS,
    COMMON,
    any_condition,
    common,
    edges_at,
    of_account,
    states,
    tallies,
)
from iam.mirror.queries.visibility import visible

FEDERATED = Q(category__in=["saml", "oidc"])
SORTS = {
    "name": ListSort("sort_name", past="yes"),
    "created": ListSort("created_at", kind=datetime, floor=NEVER),
    "used": ListSort("used_at", "usage_role", datetime, floor=NEVER, past="no"),
}


def rows(context: ListViewpoint, sort: str = "name") -> States:
    """Return roles with their category and attributes, and (today) last use. Every current role has a row of
    usage.
    """
    roles_shown = states(context, Kind.ROLE)
    if context.at is not None:
        return common(roles_shown).values(*COMMON, "category", "attrs")
    if sort == "used":
        account = {"entity__usage__account": context.account.pk} if context.account else {}
        roles_shown = roles_shown.filter(entity__usage__kind=Kind.ROLE, **account)
    roles_shown = roles_shown.annotate(
        used_at=F("entity__usage__last_used_at"),
        region=F("entity__usage__region"),
        usage_role=F("entity__usage__entity"),
    )
    return common(roles_shown).values(*COMMON, "category", "attrs", "used_at", "region", "usage_role")


def _roles(kept: Q) -> ListTab:
    return ListTab(lambda context: kept, lambda context: states(context, Kind.ROLE).filter(kept))


def _unused(days: int, context: ListContext) -> Q:
    """Return the condition for roles older than `days` that were not used for as long, except service-linked
    roles.
    """
    since = context.days_before(days)
    return Q(used_at__lt=since, created_at__lt=since) & ~Q(category="service-linked")


def _count_unused(context: ListContext) -> QuerySet[Any, Any]:
    since = context.days_before(90)
    old = states(context, Kind.ROLE).filter(created_at__lt=since).exclude(category="service-linked")
    used = Usage.objects.filter(of_account(context), kind=Kind.ROLE, last_used_at__lt=since)
    return visible(used.filter(entity__in=old.values("entity")), context.viewer, entity="entity")


TABS = {
    "all": _roles(ALWAYS),
    "cross-account": _roles(Q(category="cross-account")),
    "federated": _roles(FEDERATED),
    "anyone": _roles(Q(category="any")),
    "services": _roles(Q(category__startswith="service:")),
    "service-linked": _roles(Q(category="service-linked")),
    "unused": ListTab(lambda context: _unused(90, context), _count_unused, is_past=False, sort="used"),
}


def _trust(context: ListContext, values: list[str]) -> Q:
    wanted = {
        "cross-account": Q(category="cross-account"),
        "account": Q(category="account"),
        "saml": Q(category="saml"),
        "oidc": Q(category="oidc"),
        "services": Q(category__startswith="service:"),
        "ec2": Q(category="service:ec2"),
        "lambda": Q(category="service:lambda"),
        "service-linked": Q(category="service-linked"),
        "any": Q(category="any"),
        "nobody": Q(category=""),
    }
    return any_condition(wanted, values)


def _use(context: ListContext, values: list[str]) -> Q:
    wanted = {
        "30": Q(used_at__gte=context.days_before(30)),
        "90": Q(used_at__gte=context.days_before(90)),
        "unused-90": _unused(90, context),
        "never": Q(used_at=NEVER),
    }
    return any_condition(wanted, values)


def _boundary(context: ListContext, values: list[str]) -> Q:
    bounded = Q(entity__in=edges_at(context.at, EdgeKind.BOUNDARY).values("source"))
    return any_condition({"yes": bounded, "no": ~bounded}, values)


def complete(context: ListContext, page_rows: list[Row]) -> None:
    """Add the number of attached and of inline policies and the name of the boundary, with one query."""
    tallies(context, page_rows, _policies)


def _policies(at: datetime | None) -> dict[str, QuerySet[Any, Any] | Subquery]:
    boundary = edges_at(at, EdgeKind.BOUNDARY).filter(source=OuterRef("pk"))
    return {
        "attached": edges_at(at, EdgeKind.ATTACHED).filter(source=OuterRef("pk")),
        "inline": InlinePolicy.objects.filter(valid_at(at), owner=OuterRef("pk")),
        "boundary": Subquery(boundary.values("target__name")[:1]),
    }


ROLES = ListDefinition(
    name="roles",
    kinds=(Kind.ROLE,),
    rows=rows,
    sorts=SORTS,
    tabs=TABS,
    filters={"trust": _trust, "use": _use, "boundary": _boundary},
    complete=complete,
    sections=("roles", "role_list"),
)
