"""Queries for an entity at a time: its state, connections, inline policies, tags and versions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

from django.db.models import BigAutoField, Count, F, QuerySet

from iam.compiled_queries import SCOPES_KEPT, CompiledQuery, CompiledQueryAt
from iam.guard import Viewer, ViewerScope
from iam.mirror.models import (
    Account,
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    InlinePolicy,
    Kind,
    PolicyVersion,
    TagSet,
    Usage,
    UserCredentials,
    valid_at,
)
from iam.mirror.queries.lists.rows import ROWS, filled, fits_statement
from iam.mirror.queries.visibility import disconnected_entities, visible, visible_entities, visible_in
from iam.prepared_statements import QueryParam

_ENTITY: Final = QueryParam("entity", BigAutoField())


@dataclass(frozen=True, slots=True)
class EntityTie:
    """An entity at the other end of an edge, as of the time. The connection began between `after` and
    `since`; `after` None means that it existed at the first sync of the section.
    """

    pk: int
    kind: str
    name: str
    arn: str
    category: str
    path: str
    tie: str
    since: datetime
    after: datetime | None


@dataclass(frozen=True, slots=True)
class OpenableEntities:
    """The entities on a page that the viewer can open: all (`whole`), or those with these ids."""

    whole: bool
    pks: frozenset[int] = frozenset()

    def __contains__(self, pk: int) -> bool:
        return self.whole or pk in self.pks


def find_entity(viewer: Viewer, *, pk: int, kinds: Collection[str]) -> Entity | None:
    """Return the entity of one of the kinds if the viewer can see it, even if it was deleted, or None."""
    if pk > BigAutoField.MAX_BIGINT:
        # The address had a number that the database would refuse.
        return None
    rows = _visible_entity(viewer.scope, tuple(kinds)).objects(entity=pk)
    return rows[0] if rows else None


@lru_cache(maxsize=SCOPES_KEPT)
def _visible_entity(scope: ViewerScope, kinds: tuple[str, ...]) -> CompiledQuery:
    """Return the query for an entity of these kinds within the scope."""
    return CompiledQuery(
        lambda: (
            visible_in(scope, Entity.objects.all(), entity="pk")
            .filter(pk=_ENTITY, kind__in=kinds)
            .select_related("account")
        )
    )


def find_disconnected(viewer: Viewer, *, pk: int, kinds: Collection[str]) -> Entity | None:
    """Return the entity if the viewer could see it until its account was disconnected, or None."""
    return disconnected_entities(viewer).filter(pk=pk, kind__in=list(kinds)).select_related("account").first()


def openable(viewer: Viewer, *, account_id: str, pks: Iterable[int]) -> OpenableEntities:
    """Return what the viewer can open, without a query if they can see the whole account,
    otherwise with one.
    """
    return openable_in(viewer, account_ids=[account_id], pks=pks)


def openable_in(viewer: Viewer, *, account_ids: Iterable[str], pks: Iterable[int]) -> OpenableEntities:
    """Return what the viewer can open among entities of several accounts."""
    if all(viewer.scope.sees_account(account_id) for account_id in account_ids):
        return OpenableEntities(whole=True)
    openable = visible_entities(viewer).filter(pk__in=set(pks)).values_list("pk", flat=True)
    return OpenableEntities(whole=False, pks=frozenset(openable))


def state_at(entity: Entity, *, at: datetime | None) -> EntityState | None:
    """Return the state at the time, with its document, or None if the entity didn't exist."""
    states = _STATE.objects(at, entity=entity.pk)
    return states[0] if states else None


_STATE: Final = CompiledQueryAt(
    lambda at: (
        EntityState.objects.filter(valid_at(at), entity=_ENTITY).select_related("document").order_by("pk")[:1]
    )
)


def last_state(entity: Entity) -> EntityState | None:
    """Return the newest state, even if it has ended."""
    return EntityState.objects.filter(entity=entity).order_by("-valid_from", "-pk").first()


def first_state(entity: Entity) -> EntityState | None:
    """The oldest state."""
    return EntityState.objects.filter(entity=entity).order_by("valid_from", "pk").first()


_TIE = ("entity_id", "kind", "name", "arn", "category", "path")


def targets(entity: Entity, *, kinds: Collection[str], at: datetime | None) -> list[EntityTie]:
    """Return the targets of the entity's edges of these kinds, by name, such as the groups of a user or the
    policies of a principal.
    """
    rows = _ties("edges_in", "source", tuple(kinds)).rows(at, entity=entity.pk)
    return [EntityTie(*row) for row in rows]


def sources(
    entity: Entity, *, kinds: Collection[str], at: datetime | None, limit: int | None = None
) -> list[EntityTie]:
    """Return the sources of edges of these kinds to the entity, by name, such as the principals of a policy
    or the profiles of a role.
    """
    rows = _ties("edges_out", "target", tuple(kinds), limit).rows(at, entity=entity.pk)
    return [EntityTie(*row) for row in rows]


@cache
def _ties(side: str, other: str, kinds: tuple[str, ...], limit: int | None = None) -> CompiledQueryAt:
    """Return the query for the entities at the other end of an entity's edges."""
    edge = f"entity__{side}"
    return CompiledQueryAt(
        lambda at: (
            EntityState.objects.filter(
                valid_at(at),
                valid_at(at, prefix=f"{edge}__"),
                **{f"{edge}__{other}": _ENTITY, f"{edge}__kind__in": kinds},
            )
            .order_by("sort_name", "entity_id")
            .values_list(*_TIE, F(f"{edge}__kind"), F(f"{edge}__valid_from"), F(f"{edge}__after"))[:limit]
        )
    )


@dataclass(frozen=True, slots=True)
class GroupContent:
    """The content of a group: its number of users, its managed `policies`, and the names of `inline` ones."""

    people: int
    policies: list[EntityTie]
    inline: list[str]


def group_contents(groups: Collection[int], *, at: datetime | None) -> dict[int, GroupContent]:
    """Return the content of each group, with three queries."""
    people = dict(
        Edge.objects.filter(valid_at(at), kind=EdgeKind.MEMBER, target__in=groups)
        .values_list("target")
        .annotate(n=Count("pk"))
    )
    ties: dict[int, list[EntityTie]] = {}
    edge = "entity__edges_in"
    rows = EntityState.objects.filter(
        valid_at(at),
        valid_at(at, prefix=f"{edge}__"),
        **{f"{edge}__source__in": list(groups), f"{edge}__kind": EdgeKind.ATTACHED},
    ).values_list(
        F(f"{edge}__source"), *_TIE, F(f"{edge}__kind"), F(f"{edge}__valid_from"), F(f"{edge}__after")
    )
    for owner, *row in rows.order_by("sort_name", "entity_id"):
        ties.setdefault(owner, []).append(EntityTie(*row))
    inline: dict[int, list[str]] = {}
    for owner_id, name in (
        InlinePolicy.objects.filter(valid_at(at), owner__in=groups)
        .order_by("name")
        .values_list("owner_id", "name")
    ):
        inline.setdefault(owner_id, []).append(name)
    return {pk: GroupContent(people.get(pk, 0), ties.get(pk, []), inline.get(pk, [])) for pk in groups}


def inline_policies(entity: Entity, *, at: datetime | None) -> list[InlinePolicy]:
    """Return the inline policies with their documents, by name."""
    return _INLINE.objects(at, entity=entity.pk)


_INLINE: Final = CompiledQueryAt(
    lambda at: (
        InlinePolicy.objects.filter(valid_at(at), owner=_ENTITY)
        .select_related("document")
        .order_by("name", "pk")
    )
)


def tags(entity: Entity, *, at: datetime | None) -> dict[str, str]:
    """Return the tags, by key."""
    rows = _TAGS.rows(at, entity=entity.pk)
    return dict(sorted(rows[0][0].items())) if rows else {}


_TAGS: Final = CompiledQueryAt(
    lambda at: TagSet.objects.filter(valid_at(at), entity=_ENTITY).order_by("pk").values_list("tags")[:1]
)


def versions(policy: Entity, *, at: datetime | None) -> list[PolicyVersion]:
    """Return the versions that existed in AWS at the time, newest first, with their documents."""
    rows = PolicyVersion.objects.filter(valid_at(at), policy=policy).select_related("document")
    return sorted(rows, key=lambda v: (_number(v.version_id), v.pk), reverse=True)


def _number(version_id: str) -> int:
    digits = version_id.removeprefix("v")
    return int(digits) if digits.isdigit() else 0


def credentials(user: Entity, *, at: datetime | None) -> UserCredentials | None:
    """Return the state of password, MFA and keys at the time."""
    rows = _CREDENTIALS.objects(at, entity=user.pk)
    return rows[0] if rows else None


_CREDENTIALS: Final = CompiledQueryAt(
    lambda at: UserCredentials.objects.filter(valid_at(at), user=_ENTITY).order_by("pk")[:1]
)


def last_use(user: Entity) -> Usage | None:
    """Return the last use of the user, or None if it was not read."""
    rows = _USAGE.objects(entity=user.pk)
    return rows[0] if rows else None


_USAGE: Final = CompiledQuery(lambda: Usage.objects.filter(entity=_ENTITY))


def owned(user: Entity, *, at: datetime | None) -> dict[str, list[EntityState]]:
    """Return the user's keys, devices, certificates and credentials by kind, oldest first, each with its
    entity and last use.
    """
    rows = (
        EntityState.objects.filter(valid_at(at), entity__owner=user)
        .select_related("entity__usage")
        .order_by("created_at", "entity_id")
    )
    states_by_kind: dict[str, list[EntityState]] = {}
    for row in rows:
        states_by_kind.setdefault(row.kind, []).append(row)
    return states_by_kind


def members(
    group: Entity, *, viewer: Viewer, at: datetime | None, search: str = ""
) -> QuerySet[EntityState, Any]:
    """Return the users of the group that the viewer can see, as of the time, with when each joined.

    The rows are mappings, paged by (sort_name, entity_id).
    """
    edge = "entity__edges_out"
    rows = EntityState.objects.filter(
        valid_at(at),
        valid_at(at, prefix=f"{edge}__"),
        **{f"{edge}__target": group, f"{edge}__kind": EdgeKind.MEMBER},
    )
    if search:
        rows = rows.filter(sort_name__contains=search.lower())
    return visible(rows, viewer, entity="entity", kinds=(Kind.USER,)).values(
        "entity_id",
        "sort_name",
        "name",
        "path",
        tied_since=F(f"{edge}__valid_from"),
        tied_after=F(f"{edge}__after"),
    )


def member_count(group: Entity, *, at: datetime | None) -> int:
    """Return the number of users in the group, visible or not."""
    return _MEMBERS.number(at, entity=group.pk)


_MEMBERS: Final = CompiledQueryAt(
    lambda at: (
        Edge.objects.filter(valid_at(at), target=_ENTITY, kind=EdgeKind.MEMBER)
        .order_by()
        .values("kind")
        .annotate(number=Count("pk"))
        .values_list("number")
    )
)


def without_mfa(group: Entity, *, at: datetime | None) -> int:
    """Return the number of users in the group with a console password and no MFA."""
    return _WITHOUT_MFA.number(at, entity=group.pk)


def _without_mfa(at: Any) -> QuerySet[Any, Any]:
    members_then = Edge.objects.filter(valid_at(at), target=_ENTITY, kind=EdgeKind.MEMBER).values("source")
    rows = UserCredentials.objects.filter(valid_at(at), user__in=members_then, mfa="none", has_password=True)
    return rows.order_by().values("mfa").annotate(number=Count("pk")).values_list("number")


_WITHOUT_MFA: Final = CompiledQueryAt(_without_mfa)


def credentials_of(users: Collection[int], *, at: datetime | None) -> dict[int, UserCredentials]:
    """Return the credentials of several users, with one query."""
    pks = list(users)
    if fits_statement(pks):
        rows = _CREDENTIALS_OF.objects(at, **filled(pks))
    else:
        rows = list(_credentials_of(pks, at))
    return {row.user_id: row for row in rows}


def _credentials_of(users: Sequence[Any], at: Any) -> QuerySet[UserCredentials]:
    return UserCredentials.objects.filter(valid_at(at), user__pk__in=users)


_CREDENTIALS_OF: Final = CompiledQueryAt(lambda at: _credentials_of(ROWS, at))


def other_groups(users: Collection[int], *, but: Entity, at: datetime | None) -> dict[int, list[str]]:
    """Return the names of the other groups of several users, with one query."""
    pks = list(users)
    if fits_statement(pks):
        rows = _OTHER_GROUPS.rows(at, entity=but.pk, **filled(pks))
    else:
        rows = list(_other_groups(pks, but=but.pk, at=at))
    groups: dict[int, list[str]] = {}
    for user_id, name in rows:
        groups.setdefault(user_id, []).append(name)
    return groups


def _other_groups(users: Sequence[Any], *, but: Any, at: Any) -> QuerySet[Any, Any]:
    edge = "entity__edges_in"
    return (
        EntityState.objects.filter(
            valid_at(at),
            valid_at(at, prefix=f"{edge}__"),
            **{f"{edge}__source__pk__in": users, f"{edge}__kind": EdgeKind.MEMBER},
        )
        .exclude(entity=but)
        .order_by("sort_name", "entity_id")
        .values_list(F(f"{edge}__source"), "name")
    )


_OTHER_GROUPS: Final = CompiledQueryAt(lambda at: _other_groups(ROWS, but=_ENTITY, at=at))


def instances_of(profile: Entity, *, at: datetime | None) -> QuerySet[EntityState, Any]:
    """Return the EC2 instances that use the profile, as mappings, paged by (sort_name, entity_id)."""
    edge = "entity__edges_out"
    return EntityState.objects.filter(
        valid_at(at),
        valid_at(at, prefix=f"{edge}__"),
        **{f"{edge}__target": profile, f"{edge}__kind": EdgeKind.INSTANCE_PROFILE},
    ).values(
        "entity_id",
        "sort_name",
        "name",
        "category",
        "attrs",
        aws_id=F("entity__aws_id"),
        tied_since=F(f"{edge}__valid_from"),
        tied_after=F(f"{edge}__after"),
    )


def instance_counts(profiles: Collection[int], *, at: datetime | None) -> dict[int, int]:
    """Return the number of instances per instance profile, without profiles that have none."""
    return dict(
        Edge.objects.filter(valid_at(at), kind=EdgeKind.INSTANCE_PROFILE, target__in=profiles)
        .values_list("target")
        .annotate(n=Count("pk"))
    )


def entities_by_arn(
    viewer: Viewer, *, arns: Collection[str], kinds: Collection[str], account: Account | None = None
) -> dict[str, Entity]:
    """Return visible entities that exist now, by ARN, with one query.

    An AWS managed policy has the same ARN in every account; that of `account` is returned if there is one.
    """
    rows = visible_entities(viewer).filter(arn__in=list(arns), kind__in=list(kinds), gone_at__isnull=True)
    by_arn = {row.arn: row for row in rows}
    if account is not None:
        by_arn |= {row.arn: row for row in rows if row.account_id == account.pk}
    return by_arn
