"""Applies a viewer's scope to the rows of the mirror: whole accounts, the people of the viewer's teams, and
the viewer's own users.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import F, Lookup, Model, Q, QuerySet

from iam.guard import Viewer, ViewerScope
from iam.mirror.models import Account, Edge, EdgeKind, Entity, EntityState, Kind, valid_at

M = TypeVar("M", bound=Model)
OWNED: frozenset[str] = frozenset(
    {Kind.ACCESS_KEY, Kind.MFA_DEVICE, Kind.SSH_KEY, Kind.SIGNING_CERTIFICATE, Kind.SERVICE_CREDENTIAL}
)
"""Kinds that belong to a user."""


class UnderPath(Lookup):
    """The lookup that a path begins with another path that ends with a slash. It is case-sensitive, as paths
    in IAM are, and in a form for which each database can use an index.
    """

    lookup_name = "under"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return a range from the prefix to what follows it: "0" is the next character after the slash."""
        path, params = self.process_lhs(compiler, connection)
        start = str(self.rhs)
        return f"({path} >= %s AND {path} < %s)", (*params, start, *params, f"{start[:-1]}0")

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return a LIKE condition, because PostgreSQL sorts by language and its LIKE is case-sensitive."""
        path, params = self.process_lhs(compiler, connection)
        return f"{path} LIKE %s", (*params, f"{connection.ops.prep_for_like_query(str(self.rhs))}%")


def visible(
    rows: QuerySet[M], viewer: Viewer, *, entity: str, kinds: Collection[str] | None = None
) -> QuerySet[M]:
    """Return the rows of any model with an `account` that the viewer can see. `entity` is the column that
    refers to the entity.

    Today's scope also applies to past rows: a team's people are those in its groups or under its paths now. A
    user that was deleted, or created again under the same name, belongs to no team and no person. `kinds` are
    the entities' kinds, if they are known, so that others needn't be searched.
    """
    return visible_in(viewer.scope, rows, entity=entity, kinds=kinds)


def visible_in(
    scope: ViewerScope, rows: QuerySet[M], *, entity: str, kinds: Collection[str] | None = None
) -> QuerySet[M]:
    """Return the visible rows for a scope, for statements that are cached by scope."""
    return _visible_rows(scope, rows.exclude(account__in=_removed()), entity=entity, kinds=kinds)


def _removed() -> QuerySet[Account, Any]:
    return Account.objects.filter(removed_at__isnull=False).values("pk")


def _visible_rows(
    scope: ViewerScope, rows: QuerySet[M], *, entity: str, kinds: Collection[str] | None = None
) -> QuerySet[M]:
    if scope.sees_everything:
        return rows
    allowed = Q(pk__in=[])
    if scope.accounts:
        allowed |= Q(account__in=Account.objects.filter(account_id__in=scope.accounts).values("pk"))
    if scope.user_arns or scope.groups or scope.paths or scope.owned:
        allowed |= Q(**{f"{entity}__in": _beyond_accounts(scope, kinds=kinds)})
    return rows.filter(allowed)


def visible_entities(viewer: Viewer) -> QuerySet[Entity]:
    """Return the entities that the viewer can see, including deleted ones."""
    return visible(Entity.objects.all(), viewer, entity="pk")


def disconnected_entities(viewer: Viewer) -> QuerySet[Entity]:
    """Return the entities of disconnected accounts that the viewer could see. Their data and
    owners are kept.
    """
    return _visible_rows(viewer.scope, Entity.objects.filter(account__in=_removed()), entity="pk")


def visible_states(
    viewer: Viewer, *, at: datetime | None, kinds: Collection[str] | None = None
) -> QuerySet[EntityState]:
    """Return the states at a time (None: now) of the entities that the viewer can see."""
    return visible(EntityState.objects.filter(valid_at(at)), viewer, entity="entity", kinds=kinds)


def _beyond_accounts(scope: ViewerScope, *, kinds: Collection[str] | None) -> QuerySet[Any, Any]:
    """Return the viewer's own users, the people and machine users of their teams, the teams' groups, and what
    belongs to these users (keys, devices).

    Each part uses its own index, and their size depends on the teams, not on the mirror. Conditions joined by
    OR would be tested on every entity.
    """
    users = _people(scope)
    parts = list(users) if kinds is None or Kind.USER in kinds else []
    if kinds is None or Kind.GROUP in kinds:
        parts.append(_groups(scope).values("pk"))
    if kinds is None or OWNED.intersection(kinds):
        parts += [Entity.objects.filter(owner__in=owners).values("pk") for owners in users]
    if not parts:
        return Entity.objects.none().values("pk")
    return parts[0].union(*parts[1:], all=True)


def people_within(scope: ViewerScope) -> QuerySet[Entity]:
    """Return the living IAM users that a scope includes besides its whole accounts."""
    people = _people(scope)
    if not people:
        return Entity.objects.none()
    return Entity.objects.filter(pk__in=people[0].union(*people[1:], all=True), gone_at__isnull=True)


def _people(scope: ViewerScope) -> list[QuerySet[Any, Any]]:
    """Return the users of the scope, one query per reason."""
    querysets: list[QuerySet[Any, Any]] = []
    if scope.user_arns:
        living = Entity.objects.filter(kind=Kind.USER, gone_at__isnull=True)
        querysets.append(living.filter(arn__in=scope.user_arns).values("pk"))
    if scope.owned:
        querysets.append(_owned(scope))
    if scope.groups:
        querysets.append(_members(scope))
    if scope.paths:
        querysets.append(_under_paths(scope))
    return querysets


def _owned(scope: ViewerScope) -> QuerySet[Any, Any]:
    """Return the machine users of the teams."""
    living = Entity.objects.filter(kind=Kind.USER, gone_at__isnull=True)
    return living.filter(aws_id__in=[aws_id for _, aws_id in sorted(scope.owned)]).values("pk")


def _groups(scope: ViewerScope) -> QuerySet[Entity]:
    named = Q(pk__in=[])
    for account_id, name in sorted(scope.groups):
        named |= Q(name=name) & _in_account(account_id)
    return Entity.objects.filter(named, kind=Kind.GROUP, gone_at__isnull=True)


def _members(scope: ViewerScope) -> QuerySet[Edge, Any]:
    """Return today's members. A current edge implies a current user, because the same sync ends both."""
    return Edge.objects.filter(
        valid_at(None), kind=EdgeKind.MEMBER, target__in=_groups(scope).values("pk")
    ).values("source")


def _under_paths(scope: ViewerScope) -> QuerySet[EntityState, Any]:
    under = Q(pk__in=[])
    for account_id, value in sorted(scope.paths):
        path = value.strip("/")
        start = f"/{path}/" if path else "/"
        under |= Q(UnderPath(F("path"), start)) & _in_account(account_id)
    return EntityState.objects.filter(under, valid_at(None), kind=Kind.USER).values("entity")


def _in_account(account_id: str) -> Q:
    return Q(account__account_id=account_id) if account_id else Q()
