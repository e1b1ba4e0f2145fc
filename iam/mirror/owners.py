"""Owning teams of machine users for lists: a filter, and the names for the rows of a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from iam.compiled_queries import CompiledQuery
from iam.directory.models import Identity, OwnedUser
from iam.mirror.models import Entity
from iam.mirror.queries.lists.rows import ROWS, filled, fits_statement

ANY, NONE = "any", "none"
WORDS: Final = ((ANY, "Any team"), (NONE, "No owning team"))


def owned_by(column: str, teams: Sequence[str]) -> Q:
    """Return the condition that one of the teams (by slug or name) owns the user whose unique ID is in the
    column.
    """
    named = Q(team__slug__in=teams)
    for name in teams:
        named |= Q(team__name__iexact=name)
    return Q(Exists(OwnedUser.objects.filter(named, aws_id=OuterRef(column))))


def owner_filter(column: str, values: Sequence[str]) -> Q:
    """Return the condition for the values of a filter: slugs or names of teams, "any" for any team, "none"
    for no team.
    """
    owned = Q(Exists(OwnedUser.objects.filter(aws_id=OuterRef(column))))
    condition = owned_by(column, values)
    if ANY in values:
        condition |= owned
    if NONE in values:
        condition |= ~owned
    return condition


def people_and_owners(users: Iterable[int]) -> tuple[dict[int, str], dict[int, str]]:
    """Return the names of the linked people, and those of the owning teams, by user id. One query."""
    pks = list(users)
    rows = _NAMES.rows(**filled(pks)) if fits_statement(pks) else _names(pks)
    people: dict[int, str] = {}
    owners: dict[int, str] = {}
    for pk, called, owner in rows:
        if called:
            people[pk] = called
        if owner:
            owners[pk] = owner
    return people, owners


def _names(users: Sequence[Any]) -> QuerySet[Entity, Any]:
    """Return the id of each user with the name of the linked person and that of the owning team."""
    linked = Identity.objects.filter(Q(aws_id="") | Q(aws_id=OuterRef("aws_id")), user_arn=OuterRef("arn"))
    owned = OwnedUser.objects.filter(aws_id=OuterRef("aws_id"))
    rows = Entity.objects.filter(pk__in=users).annotate(
        called=Subquery(linked.values("person__name")[:1]), owning=Subquery(owned.values("team__name")[:1])
    )
    return rows.values_list("pk", "called", "owning")


_NAMES = CompiledQuery(lambda: _names(ROWS))
