"""The list of IAM groups: how many people, how many policies."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from iam.mirror.models import NEVER, EdgeKind, InlinePolicy, Kind, valid_at
from iam.mirror.queries.keyset import Row
from iam.mirror.queries.lists.core import (
    ALWAYS,
    COMMON,
    Lens,
    Listing,
    Sort,
    States,
    Tab,
    common,
    either,
    number_of,
    states,
    ties,
)

SORTS = {
    "name": Sort("sort_name", past="yes"),
    "created": Sort("created_at", kind=datetime, floor=NEVER),
}


def rows(lens: Lens, sort: str = "name") -> States:
    """Groups."""
    shown: States = common(states(lens, Kind.GROUP)).values(*COMMON)
    return shown


def _empty(lens: Lens) -> Q:
    return ~Q(entity__in=ties(lens, EdgeKind.MEMBER).values("target"))


def _powerless(lens: Lens) -> Q:
    inline = InlinePolicy.objects.filter(valid_at(lens.at)).values("owner")
    return ~Q(entity__in=ties(lens, EdgeKind.ATTACHED).values("source")) & ~Q(entity__in=inline)


TABS = {
    "all": Tab(lambda lens: ALWAYS, lambda lens: states(lens, Kind.GROUP)),
    "empty": Tab(_empty, lambda lens: states(lens, Kind.GROUP).filter(_empty(lens))),
    "no-policy": Tab(_powerless, lambda lens: states(lens, Kind.GROUP).filter(_powerless(lens))),
}


def _people(lens: Lens, values: list[str]) -> Q:
    return either({"none": _empty(lens), "some": ~_empty(lens)}, values)


def complete(lens: Lens, found: list[Row]) -> None:
    """Adds the numbers of members, of attached and of inline policies: three queries."""
    groups = [row["entity"] for row in found]
    members = number_of(ties(lens, EdgeKind.MEMBER), by="target", among=groups)
    attached = number_of(ties(lens, EdgeKind.ATTACHED), by="source", among=groups)
    inline = number_of(InlinePolicy.objects.filter(valid_at(lens.at)), by="owner", among=groups)
    for row in found:
        row["members"] = members.get(row["entity"], 0)
        row["attached"] = attached.get(row["entity"], 0)
        row["inline"] = inline.get(row["entity"], 0)


GROUPS = Listing(
    name="groups",
    kinds=(Kind.GROUP,),
    rows=rows,
    sorts=SORTS,
    tabs=TABS,
    filters={"people": _people},
    complete=complete,
    sections=("groups", "users"),
)
