"""Whom or which group one may choose for a membership: within one's reach, by name, a short list."""

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
    """An entity to choose; `count` is how many groups a user is in, or how many people a group has."""

    entity: Entity
    count: int


@dataclass(frozen=True, slots=True)
class EntityChoices:
    """The first choices by name, and whether there are more, to be found by typing."""

    rows: list[EntityChoice]
    has_more: bool


def groups_for(viewer: Viewer, *, user: Entity, do: str, text: str = "") -> EntityChoices:
    """Groups that the user may be added to, or is in; three queries."""
    joined = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source=user).values("target")
    groups = _reach(viewer, like=user, kind=Kind.GROUP, text=text)
    groups = groups.exclude(pk__in=joined) if do == "add" else groups.filter(pk__in=joined)
    return _choices(groups, side="target_id")


def users_for(viewer: Viewer, *, group: Entity, do: str, text: str = "") -> EntityChoices:
    """Users who may be added to the group, or are in it; three queries."""
    inside = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, target=group).values("source")
    users = _reach(viewer, like=group, kind=Kind.USER, text=text)
    users = users.exclude(pk__in=inside) if do == "add" else users.filter(pk__in=inside)
    return _choices(users, side="source_id")


def _reach(viewer: Viewer, *, like: Entity, kind: Kind, text: str) -> QuerySet[Entity]:
    """For whom the viewer may ask, in the account of `like`."""
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
