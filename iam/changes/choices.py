"""Finds users and groups that a viewer can choose for a membership, by name and as a short list."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, valid_at
from iam.mirror.queries.visibility import visible_entities
from iam.search_words import folded

LIMIT = 25


@dataclass(frozen=True, slots=True)
class EntityChoice:
    """An entity to choose; `count` is the number of a user's groups or of a group's members."""

    entity: Entity
    count: int


@dataclass(frozen=True, slots=True)
class EntityChoices:
    """The first choices by name, and whether typing can find more."""

    rows: list[EntityChoice]
    has_more: bool


def groups_for(viewer: Viewer, *, user: Entity, do: str, text: str = "") -> EntityChoices:
    """The groups that the user is in or can be added to. Three queries."""
    joined = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source=user).values("target")
    groups = _reach(viewer, like=user, kind=Kind.GROUP, text=text)
    groups = groups.exclude(pk__in=joined) if do == "add" else groups.filter(pk__in=joined)
    return _choices(groups, side="target_id")


def users_for(viewer: Viewer, *, group: Entity, do: str, text: str = "") -> EntityChoices:
    """The users who are in the group or can be added to it. Three queries."""
    inside = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, target=group).values("source")
    users = _reach(viewer, like=group, kind=Kind.USER, text=text)
    users = users.exclude(pk__in=inside) if do == "add" else users.filter(pk__in=inside)
    return _choices(users, side="source_id")


def _reach(viewer: Viewer, *, like: Entity, kind: Kind, text: str) -> QuerySet[Entity]:
    """The entities that the viewer can request changes for in the account of `like`."""
    reached = visible_entities(replace(viewer, scope=viewer.asks))
    entities = reached.filter(account=like.account_id, kind=kind, gone_at__isnull=True)
    return entities.filter(search__contains=folded(text.strip())) if text.strip() else entities


def _choices(entities: QuerySet[Entity], *, side: str) -> EntityChoices:
    rows = list(entities.select_related("account").order_by("name", "id")[: LIMIT + 1])
    shown = rows[:LIMIT]
    edges = Edge.objects.filter(
        valid_at(None), kind=EdgeKind.MEMBER, **{f"{side}__in": [entity.pk for entity in shown]}
    )
    counts = Counter(edges.values_list(side, flat=True))
    return EntityChoices(
        [EntityChoice(entity, counts[entity.pk]) for entity in shown], has_more=len(rows) > LIMIT
    )
