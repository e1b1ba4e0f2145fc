"""Queries for an entity at a time: its state, connections, inline policies, tags and versions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, QuerySet

from iam.guard import Viewer
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
    UserCredentials,
    valid_at,
)
from iam.mirror.queries.visibility import disconnected_entities, visible, visible_entities


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
    return visible_entities(viewer).filter(pk=pk, kind__in=list(kinds)).select_related("account").first()


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
    return EntityState.objects.filter(valid_at(at), entity=entity).select_related("document").first()


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
    return _ties(side="edges_in", other="source", entity=entity, kinds=kinds, at=at)


def sources(
    entity: Entity, *, kinds: Collection[str], at: datetime | None, limit: int | None = None
) -> list[EntityTie]:
    """Return the sources of edges of these kinds to the entity, by name, such as the principals of a policy
    or the profiles of a role.
    """
    return _ties(side="edges_out", other="target", entity=entity, kinds=kinds, at=at)[:limit]


def _ties(
    *, side: str, other: str, entity: Entity, kinds: Collection[str], at: datetime | None
) -> list[EntityTie]:
    edge = f"entity__{side}"
    rows = (
        EntityState.objects.filter(
            valid_at(at),
            valid_at(at, prefix=f"{edge}__"),
            **{f"{edge}__{other}": entity, f"{edge}__kind__in": list(kinds)},
        )
        .order_by("sort_name", "entity_id")
        .values_list(*_TIE, F(f"{edge}__kind"), F(f"{edge}__valid_from"), F(f"{edge}__after"))
    )
    return [EntityTie(*row) for row in rows]


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
    rows = InlinePolicy.objects.filter(valid_at(at), owner=entity)
    return list(rows.select_related("document").order_by("name", "pk"))


def tags(entity: Entity, *, at: datetime | None) -> dict[str, str]:
    """Return the tags, by key."""
    tag_values = TagSet.objects.filter(valid_at(at), entity=entity).values_list("tags", flat=True).first()
    return dict(sorted((tag_values or {}).items()))


def versions(policy: Entity, *, at: datetime | None) -> list[PolicyVersion]:
    """Return the versions that existed in AWS at the time, newest first, with their documents."""
    rows = PolicyVersion.objects.filter(valid_at(at), policy=policy).select_related("document")
    return sorted(rows, key=lambda v: (_number(v.version_id), v.pk), reverse=True)


def _number(version_id: str) -> int:
    digits = version_id.removeprefix("v")
    return int(digits) if digits.isdigit() else 0


def credentials(user: Entity, *, at: datetime | None) -> UserCredentials | None:
    """Return the state of password, MFA and keys at the time."""
    return UserCredentials.objects.filter(valid_at(at), user=user).first()


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
    return Edge.objects.filter(valid_at(at), target=group, kind=EdgeKind.MEMBER).count()


def without_mfa(group: Entity, *, at: datetime | None) -> int:
    """Return the number of users in the group with a console password and no MFA."""
    members_then = Edge.objects.filter(valid_at(at), target=group, kind=EdgeKind.MEMBER).values("source")
    return UserCredentials.objects.filter(
        valid_at(at), user__in=members_then, mfa="none", has_password=True
    ).count()


def credentials_of(users: Collection[int], *, at: datetime | None) -> dict[int, UserCredentials]:
    """Return the credentials of several users, with one query."""
    return {row.user_id: row for row in UserCredentials.objects.filter(valid_at(at), user__in=users)}


def other_groups(users: Collection[int], *, but: Entity, at: datetime | None) -> dict[int, list[str]]:
    """Return the names of the other groups of several users, with one query."""
    groups: dict[int, list[str]] = {}
    edge = "entity__edges_in"
    rows = (
        EntityState.objects.filter(
            valid_at(at),
            valid_at(at, prefix=f"{edge}__"),
            **{f"{edge}__source__in": list(users), f"{edge}__kind": EdgeKind.MEMBER},
        )
        .exclude(entity=but)
        .order_by("sort_name", "entity_id")
        .values_list(F(f"{edge}__source"), "name")
    )
    for user_id, name in rows:
        groups.setdefault(user_id, []).append(name)
    return groups


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
