"""The list of access keys: owner, age, last use, and whether a rotation is in progress."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import chain
from typing import Any, Final

from django.core.cache import cache
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from iam.changes.operations.user_credential import ACTIVE, INACTIVE
from iam.directory.models import Team
from iam.keyset import Row
from iam.mirror.display_names import display_name
from iam.mirror.models import NEVER, EntityState, Kind, Usage, UserCredentials, valid_at
from iam.mirror.owners import owned_by, owner_filter, people_and_owners
from iam.mirror.queries.lists.context import ListContext, ListViewpoint, States
from iam.mirror.queries.lists.core import ListDefinition, ListSort, ListTab
from iam.mirror.queries.lists.rows import ALWAYS, COMMON, any_condition, common, fact_at, of_account, states
from iam.mirror.queries.visibility import visible
from iam.people.fleet.demands import TeamUserRule, people_under
from iam.people.rotation.models import Rotation, RotationStage
from iam.people.rotation.queries import living_by_key

OLD, VERY_OLD = 90, 180
MANY_ROTATIONS: Final = 2000
"""Number of open rotations above which they are not looked up one by one."""
SORTS: Final = {
    "made": ListSort("created_at", kind=datetime, floor=NEVER, past="no"),
    "used": ListSort("used_at", "usage_key", datetime, floor=NEVER, past="no"),
    "name": ListSort("sort_name", past="no"),
}


def rows(seen: ListViewpoint, sort: str = "made") -> States:
    """Return keys with their users, the users' tags, and last use. A sort by use starts from the index of
    last use, where every key has a row, read or not.
    """
    key_rows = states(seen, Kind.ACCESS_KEY).annotate(owner_tags=fact_at("entity__owner__tag_sets", seen.at))
    if sort == "used":
        strict: dict[str, Any] = {"entity__usage__kind": Kind.ACCESS_KEY}
        if seen.account:
            strict["entity__usage__account"] = seen.account.pk
        key_rows = key_rows.filter(**strict)
    key_rows = key_rows.annotate(
        status=F("category"),
        user=F("entity__owner"),
        user_name=F("entity__owner__name"),
        used_at=F("entity__usage__last_used_at"),
        is_use_read=F("entity__usage__is_read"),
        usage_key=F("entity__usage__entity"),
        service=F("entity__usage__service"),
        region=F("entity__usage__region"),
        tags=F("owner_tags__tags"),
    )
    shown: States = common(key_rows).values(
        *COMMON,
        *("status", "user", "user_name", "used_at", "is_use_read", "usage_key", "service", "region", "tags"),
    )
    return shown


def _keys(context: ListContext) -> QuerySet[Any, Any]:
    return states(context, Kind.ACCESS_KEY)


def _old(days: int) -> Callable[[ListContext], Q]:
    """Return the condition for active keys created more than `days` ago."""
    return lambda context: Q(category=ACTIVE, created_at__lt=context.days_before(days))


def _counted(wanted: Callable[[ListContext], Q]) -> Callable[[ListContext], QuerySet[Any, Any]]:
    def counted(context: ListContext) -> QuerySet[Any, Any]:
        keys_counted: QuerySet[Any, Any] = _keys(context).filter(wanted(context))
        return keys_counted

    return counted


def _unused(context: ListContext) -> Q:
    return Q(category=ACTIVE, entity__usage__last_used_at=NEVER, entity__usage__is_read=True)


def _never(context: ListContext) -> QuerySet[Any, Any]:
    """Return keys that were never used, starting from the index of last use."""
    used = Usage.objects.filter(of_account(context), kind=Kind.ACCESS_KEY, last_used_at=NEVER, is_read=True)
    living = EntityState.objects.filter(valid_at(None), entity=OuterRef("entity"), category=ACTIVE)
    return visible(used.filter(Exists(living)), context.viewer, entity="entity", kinds=(Kind.ACCESS_KEY,))


def _two(context: ListContext) -> Q:
    both = UserCredentials.objects.filter(
        valid_at(None), of_account(context), user=OuterRef("entity__owner"), active_keys__gte=2
    )
    return Q(category=ACTIVE) & Q(Exists(both))


def _current_keys() -> QuerySet[Rotation]:
    return Rotation.objects.exclude(stage=RotationStage.ENDED)


def _rotating(context: ListContext) -> Q:
    """Return the condition for keys in rotation. A few rotations are looked up each; with many, a page fills
    up after scanning a few keys in order.
    """
    if cache.get_or_set("rotations-are-many", lambda: _current_keys().count() > MANY_ROTATIONS, 2):
        return Q(Exists(_current_keys().filter(old=OuterRef("entity"))))
    return _on_their_way(context)


def _on_their_way(context: ListContext) -> Q:
    return Q(entity__in=_current_keys().values("old"))


TABS: Final = {
    "all": ListTab(lambda _: ALWAYS, _keys, is_past=False, sort="made"),
    "old": ListTab(_old(OLD), _counted(_old(OLD)), is_past=False, sort="made"),
    "never": ListTab(_unused, _never, is_past=False, sort="made"),
    "two": ListTab(_two, _counted(_two), is_past=False, sort="name"),
    "rotating": ListTab(_rotating, _counted(_on_their_way), is_past=False, sort="made"),
}


def _state(context: ListContext, values: list[str]) -> Q:
    return any_condition({"active": Q(category=ACTIVE), "inactive": Q(category=INACTIVE)}, values)


def _age(context: ListContext, values: list[str]) -> Q:
    def before(days: int) -> Q:
        return Q(created_at__lt=context.days_before(days))

    wanted = {"fresh": ~before(OLD), "90": before(OLD), "180": before(VERY_OLD), "365": before(365)}
    return any_condition(wanted, values)


def _use(context: ListContext, values: list[str]) -> Q:
    used = "entity__usage__last_used_at"
    is_idle = Q(**{f"{used}__lt": context.days_before(90)}, created_at__lt=context.days_before(90))
    wanted = {
        "7": Q(**{f"{used}__gte": context.days_before(7)}),
        "30": Q(**{f"{used}__gte": context.days_before(30)}),
        "idle-90": is_idle & Q(entity__usage__is_read=True),
        "never": Q(**{used: NEVER}, entity__usage__is_read=True),
    }
    return any_condition(wanted, values)


def _team(context: ListContext, values: list[str]) -> Q:
    known = Team.objects.filter(slug__in=values).prefetch_related("rules")
    kept = chain.from_iterable(team.rules.all() for team in known)
    rules = [TeamUserRule(team_rule.kind, team_rule.account_id, team_rule.value) for team_rule in kept]
    return Q(entity__owner__in=people_under(rules)) | owned_by("entity__owner__aws_id", values)


def _owner(context: ListContext, values: list[str]) -> Q:
    return owner_filter("entity__owner__aws_id", values)


def complete(context: ListContext, page_rows: list[Row]) -> None:
    """Add to each row the name of its user, the team that owns the user, the rotation in progress, and the
    last use as far as it was read. Two queries.
    """
    rotations = living_by_key([row["entity"] for row in page_rows])
    people, owners = people_and_owners(row["user"] for row in page_rows if row["user"])
    for row in page_rows:
        user = row["user"]
        person = people.get(user, "")
        row["display"] = display_name(row["user_name"] or "", row["tags"] or {}, person=person)
        row["owner"] = owners.get(user, "")
        row["rotation"] = rotations.get(row["entity"])
        row["known_use"] = row["used_at"] if row["is_use_read"] else None


KEYS: Final = ListDefinition(
    name="keys",
    kinds=(Kind.ACCESS_KEY,),
    rows=rows,
    sorts=SORTS,
    tabs=TABS,
    filters={"state": _state, "age": _age, "use": _use, "team": _team, "owner": _owner},
    complete=complete,
    sections=("access_keys",),
)
