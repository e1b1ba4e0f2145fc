"""Counts of tabs and lists, cached for a minute or longer, and computed with one query."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from django.core.cache import cache
from django.db.models import Exists, OuterRef, QuerySet

from iam.mirror.models import Account, Entity, EntityState
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import ListDefinition, ListQuery, ListTab, wanted_rows
from iam.mirror.queries.lists.rows import RowCount, of_account, states
from iam.mirror.queries.visibility import visible

CAP = 1000
"""Maximum count of filtered rows. Above that, a page says "more than"."""
ADDED_SINCE, REMOVED_SINCE = "+", "-"
"""The keys of two counts for a past time: how many were added since, and how many were removed."""
MIN_CACHE_SECONDS = 60.0
CACHE_SECONDS_PER_QUERY_SECOND = 600.0
"""A count is cached this many times as long as it took, so that counting only takes a small share of the
time.
"""


NO_COUNTS: Mapping[str, int] = MappingProxyType({})
Queries = Mapping[str, Callable[[], QuerySet[Any, Any]]]


def tab_counts(
    listing: ListDefinition,
    context: ListContext,
    wanted: ListQuery,
    *,
    generation: object,
    known: Mapping[str, int] = NO_COUNTS,
) -> dict[str, int]:
    """Return the count of every available tab, and under "" that of the matching rows (at most CAP + 1 if
    they are filtered).

    `generation` is a value that changes with the data. `known` are tabs whose counts are available already.
    """
    tabs = listing.tabs_for(context)
    queries: dict[str, Callable[[], QuerySet[Any, Any]]] = {}
    for name, tab in tabs.items():
        if name not in known:
            queries[name] = partial(_rows_in_tab, tab, context)
    if context.at:
        queries[ADDED_SINCE] = partial(_added_since, listing, context)
        queries[REMOVED_SINCE] = partial(_removed_since, listing, context)
    # The count doesn't depend on the sort.
    unsorted = ListQuery(wanted.tab, wanted.text, wanted.filters, wanted.ids)
    wanted_name = repr(unsorted) if wanted.is_narrowed else wanted.tab
    if wanted.is_narrowed:
        queries[wanted_name] = partial(_narrowed_rows, listing, context, unsorted)
    about = f"{listing.name} {listing.stamp} {scope_key(context)} {generation}"
    counts = kept_counts(queries, about=about)
    counts |= {name: number for name, number in known.items() if name in tabs}
    wanted_count = counts[wanted_name]
    if wanted.is_narrowed:
        del counts[wanted_name]
    return counts | {"": wanted_count}


def _rows_in_tab(tab: ListTab, context: ListContext) -> QuerySet[Any, Any]:
    return tab.counts(context).values("pk")


def _narrowed_rows(listing: ListDefinition, context: ListContext, wanted: ListQuery) -> QuerySet[Any, Any]:
    return wanted_rows(listing, context, wanted).values("pk")[: CAP + 1]


def _added_since(listing: ListDefinition, context: ListContext) -> QuerySet[Any, Any]:
    """Return entities added since. Those found by the first sync of a section count as existing before."""
    at_first_sync = EntityState.objects.filter(entity=OuterRef("pk"), after__isnull=True)
    new = Entity.objects.filter(
        ~Exists(at_first_sync),
        of_account(context),
        kind__in=listing.kinds,
        first_seen__gt=context.at,
        gone_at__isnull=True,
    )
    return visible(new, context.viewer, entity="pk", kinds=listing.kinds).values("pk")


def _removed_since(listing: ListDefinition, context: ListContext) -> QuerySet[Any, Any]:
    gone: QuerySet[Any, Any] = (
        states(context, *listing.kinds).filter(entity__gone_at__isnull=False).values("pk")
    )
    return gone


def count(queries: Queries) -> dict[str, int]:
    """Return the number of rows of each query, with one query, or zeros if there is no account."""
    columns = {f"n{number}": RowCount(make()) for number, make in enumerate(queries.values())}
    # A row of any account carries the counts.
    counts = Account.objects.order_by("pk").annotate(**columns).values_list(*columns).first()
    if counts is None:
        return dict.fromkeys(queries, 0)
    return {name: number or 0 for name, number in zip(queries, counts, strict=True)}


def kept_counts(queries: Queries, *, about: str) -> dict[str, int]:
    """Return the counts by name, from the cache if they are fresh. `about` identifies their scope
    and time.
    """
    keys = {name: _key(about, name) for name in queries}
    kept = cache.get_many(keys.values())
    missing = {name: make for name, make in queries.items() if keys[name] not in kept}
    if missing:
        began = time.perf_counter()
        new = count(missing)
        took = time.perf_counter() - began
        cache.set_many(
            {keys[name]: n for name, n in new.items()},
            timeout=max(MIN_CACHE_SECONDS, took * CACHE_SECONDS_PER_QUERY_SECOND),
        )
        kept |= {keys[name]: n for name, n in new.items()}
    return {name: kept[key] for name, key in keys.items()}


def _key(about: str, name: str) -> str:
    return "list-count:" + hashlib.blake2b(f"{about} {name}".encode(), digest_size=16).hexdigest()


def scope_key(context: ListContext) -> str:
    """Return the inputs of a count besides its query: the scope, the account and the time."""
    scope = context.viewer.scope
    seen = [sorted(part) for part in (scope.user_arns, scope.groups, scope.paths, scope.owned)]
    accounts = "all" if scope.accounts is None else sorted(scope.accounts)
    return f"{accounts} {seen} {context.account.pk if context.account else 0} {context.at}"
