"""Applies a viewer's scope to the rows of the mirror: whole accounts, the people of one's teams, oneself."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet, Value
from django.db.models.functions import Substr
from django.db.models.lookups import Exact

from iam.guard import Scope, Viewer
from iam.mirror.models import Account, Edge, EdgeKind, Entity, EntityState, Kind, valid_at

M = TypeVar("M", bound=Model)


def visible(rows: QuerySet[M], viewer: Viewer, *, entity: str) -> QuerySet[M]:
    """The rows that the viewer may see, of any model with an `account`; `entity` is the column that leads to the entity.

    Today's scope governs, also for rows of the past: a team's people are those who are in its groups or under its
    paths now, and a user who is gone, or was made again under the same name, belongs to no team and to nobody.
    """
    removed = Account.objects.filter(removed_at__isnull=False).values("pk")
    rows = rows.exclude(account__in=removed)
    scope = viewer.scope
    if scope.sees_everything:
        return rows
    allowed = Q(pk__in=[])
    if scope.accounts:
        allowed |= Q(account__in=Account.objects.filter(account_id__in=scope.accounts).values("pk"))
    if scope.user_arns or scope.groups or scope.paths:
        allowed |= Q(**{f"{entity}__in": _beyond_accounts(scope)})
    return rows.filter(allowed)


def visible_entities(viewer: Viewer) -> QuerySet[Entity]:
    """The entities that the viewer may see, whether they still exist or not."""
    return visible(Entity.objects.all(), viewer, entity="pk")


def visible_states(viewer: Viewer, *, at: datetime | None) -> QuerySet[EntityState]:
    """The states that held at a moment (None: now) of the entities that the viewer may see."""
    return visible(EntityState.objects.filter(valid_at(at)), viewer, entity="entity")


def _beyond_accounts(scope: Scope) -> QuerySet[Entity, Any]:
    """Oneself, the people of one's teams, what belongs to each of them (keys, devices), and the teams' groups."""
    users = Q(kind=Kind.USER, gone_at__isnull=True) & (
        Q(arn__in=scope.user_arns) | Q(pk__in=_members(scope)) | Q(pk__in=_under_paths(scope))
    )
    people = Entity.objects.filter(users).values("pk")
    return Entity.objects.filter(
        Q(pk__in=people) | Q(owner__in=people) | Q(pk__in=_groups(scope).values("pk"))
    ).values("pk")


def _groups(scope: Scope) -> QuerySet[Entity]:
    named = Q(pk__in=[])
    for account_id, name in sorted(scope.groups):
        named |= Q(name=name) & _in_account(account_id)
    return Entity.objects.filter(named, kind=Kind.GROUP, gone_at__isnull=True)


def _members(scope: Scope) -> QuerySet[Edge, Any]:
    return Edge.objects.filter(
        valid_at(None), kind=EdgeKind.MEMBER, target__in=_groups(scope).values("pk")
    ).values("source")


def _under_paths(scope: Scope) -> QuerySet[EntityState, Any]:
    """By the exact beginning, since IAM tells paths apart by case, which LIKE does not do in SQLite."""
    under = Q(pk__in=[])
    for account_id, value in sorted(scope.paths):
        start = "/" + value.strip("/") + "/" if value.strip("/") else "/"
        under |= Q(Exact(Substr("path", 1, len(start)), Value(start))) & _in_account(account_id)
    return EntityState.objects.filter(under, valid_at(None), kind=Kind.USER).values("entity")


def _in_account(account_id: str) -> Q:
    return Q(account__account_id=account_id) if account_id else Q()
