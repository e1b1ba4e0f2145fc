"""The common parts of all lists: viewpoint, sorts, tabs, text filter, and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from django.db import connection
from django.db.models import (
    BigAutoField,
    CharField,
    DateTimeField,
    Field,
    Q,
    QuerySet,
)

from iam.compiled_queries import CompiledQuery
from iam.directory.models import Identity, Person
from iam.keyset import KeysetOrder, KeysetPlace, ParamPlace, Row, RowPage, Value, page, pages, trim, window
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.lists.context import ListContext, ListViewpoint, States
from iam.mirror.queries.lists.rows import ALWAYS, PAGE
from iam.prepared_statements import QueryParam
from iam.search_words import matches, shown_end, words_of

CHUNK = 500
WORDS = 5
MAX_LISTED_ARNS, MANY = 200, 3000
"""Maximum number of people's users to list in a statement, and number of entities up to which a text search
uses its index.
"""
CACHE_SIZE = 512
"""Maximum number of cached statements of whole lists, per viewer, account and sort."""


@dataclass(frozen=True, slots=True)
class ListSort:
    """A sort of a list: the column, a unique column that follows it in an index, and the type of the values.

    `floor` is the smallest value; it tells the database that a joined row must exist. `past` says whether the
    sort is available for past times: "yes", "account" (only within one account, with few rows to sort) or
    "no".
    """

    column: str
    tie: str = "entity"
    kind: type[str] | type[datetime] = str
    floor: Value = ""
    past: Literal["yes", "account", "no"] = "account"

    def field(self) -> Field[Any, Any]:
        """Return a field for the type of the values."""
        return DateTimeField() if self.kind is datetime else CharField()

    def order(self, *, descending: bool) -> KeysetOrder:
        """Return the order in one direction."""
        return KeysetOrder(self.column, self.tie, descending)


@dataclass(frozen=True, slots=True)
class ListTab:
    """A tab: the condition on its rows, the query over the smallest table that counts them, and its default
    sort.
    """

    keeps: Callable[[ListContext], Q]
    counts: Callable[[ListContext], QuerySet[Any, Any]]
    is_past: bool = True
    sort: str = "name"


@dataclass(frozen=True, slots=True, eq=False)
class ListDefinition:
    """A list: how its rows are found (for a viewpoint and the name of a sort), sorted, split and completed.

    `rows` has no clock, so that its result can be cached. `complete` adds data of other tables to a page of
    rows, with a fixed number of queries. Counts are cached while `stamp` is the same.
    """

    name: str
    kinds: tuple[Kind, ...]
    rows: Callable[[ListViewpoint, str], States]
    sorts: Mapping[str, ListSort]
    tabs: Mapping[str, ListTab]
    filters: Mapping[str, Callable[[ListContext, list[str]], Q]]
    complete: Callable[[ListContext, list[Row]], None]
    sections: tuple[str, ...]
    stamp: str = ""

    def sorts_for(self, context: ListContext) -> dict[str, ListSort]:
        """Return the available sorts."""
        allowed = {"yes"}
        if context.at is None:
            allowed = {"yes", "account", "no"}
        elif context.account:
            allowed = {"yes", "account"}
        return {name: sort for name, sort in self.sorts.items() if sort.past in allowed}

    def tabs_for(self, context: ListContext) -> dict[str, ListTab]:
        """Return the available tabs. Those about last use exist only for today."""
        return {name: tab for name, tab in self.tabs.items() if context.at is None or tab.is_past}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A query of a list: tab, text, filters by name with their values, ids (only these), and sort."""

    tab: str = "all"
    text: str = ""
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ids: tuple[int, ...] = ()
    sort: str = "name"
    descending: bool = False

    @property
    def is_narrowed(self) -> bool:
        """True if there are further filters besides the tab, so that the tab's count doesn't apply."""
        return bool(self.text or self.filters or self.ids)


def wanted_rows(listing: ListDefinition, context: ListContext, wanted: ListQuery) -> QuerySet[Any, Row]:
    """Return all matching rows as mappings, unordered."""
    rows = listing.rows(context, wanted.sort)
    rows = rows.filter(
        listing.tabs[wanted.tab].keeps(context), rows_matching(context, listing.kinds, wanted.text)
    )
    for name, values in wanted.filters:
        rows = rows.filter(listing.filters[name](context, list(values)))
    return rows.filter(entity__in=wanted.ids) if wanted.ids else rows


def list_page(
    listing: ListDefinition,
    context: ListContext,
    wanted: ListQuery,
    *,
    after: KeysetPlace | None = None,
    before: KeysetPlace | None = None,
) -> RowPage[Row]:
    """Return a complete page of the list, with a constant number of queries."""
    is_whole_list = context.at is None and not wanted.is_narrowed
    if is_whole_list and not listing.tabs[wanted.tab].keeps(context):
        part = _page_of_all(listing, context, wanted, after=after, before=before)
    else:
        sort = listing.sorts[wanted.sort]
        rows = _from_floor(wanted_rows(listing, context, wanted), sort, after or before)
        order = sort.order(descending=wanted.descending)
        part = page(rows, order=order, size=PAGE, after=after, before=before)
    listing.complete(context, part.rows)
    return part


def _from_floor(rows: States, sort: ListSort, place: KeysetPlace | ParamPlace | None) -> States:
    return rows.filter(**{f"{sort.column}__gte": sort.floor}) if sort.floor and not place else rows


def _page_of_all(
    listing: ListDefinition,
    context: ListContext,
    wanted: ListQuery,
    *,
    after: KeysetPlace | None,
    before: KeysetPlace | None,
) -> RowPage[Row]:
    """Return a page of today's unfiltered list, the most frequent view, with a cached statement."""
    side, place = ("after", after) if after else ("before", before)
    if not place:
        side = ""
    seen = ListViewpoint(context.viewer, account=context.account)
    statement = _page_of_all_rows(listing, seen, wanted.sort, wanted.descending, side)
    values = {"value": place.value, "pk": place.pk} if place else {}
    order = listing.sorts[wanted.sort].order(descending=wanted.descending)
    return trim(statement.mappings(**values), order=order, size=PAGE, after=after, before=before)


@lru_cache(maxsize=CACHE_SIZE)
def _page_of_all_rows(
    listing: ListDefinition, seen: ListViewpoint, sort_name: str, descending: bool, side: str
) -> CompiledQuery:
    """Return the statement for a page of all rows: the first, or the one after or before the parameters
    `value` and `pk`.
    """
    sort = listing.sorts[sort_name]
    place = ParamPlace(QueryParam("value", sort.field()), QueryParam("pk", BigAutoField())) if side else None
    bound = {side: place} if side else {}
    return CompiledQuery(
        lambda: window(
            _from_floor(listing.rows(seen, sort_name), sort, place),
            order=sort.order(descending=descending),
            size=PAGE,
            **bound,
        )
    )


def all_rows(listing: ListDefinition, context: ListContext, wanted: ListQuery) -> Iterator[Row]:
    """Yield every matching row, complete and in order, holding one chunk in memory."""
    order = listing.sorts[wanted.sort].order(descending=wanted.descending)
    for chunk in pages(wanted_rows(listing, context, wanted), order=order, size=CHUNK):
        listing.complete(context, chunk)
        yield from chunk


@lru_cache(maxsize=64)
def rows_matching(context: ListContext, kinds: tuple[Kind, ...], text: str) -> Q:
    """Return the condition that every word of the text is in the row's name, ARN or unique ID. Users also
    match by the name or email address of their person or by their tags; a key ID or its end finds its user,
    and a user their keys.

    It is cached per context, which each request has its own of, because rows and counts use it.
    """
    words = words_of(text, most=WORDS)
    if not words:
        return ALWAYS
    entities = [Entity.objects.filter(kind__in=kinds)]
    entities += [Entity.objects.filter(kind=kind) for kind in (Kind.ACCESS_KEY, Kind.USER)]
    if context.account:
        entities = [rows.filter(account=context.account) for rows in entities]
    then = ALWAYS
    for word in words:
        entities = [rows.filter(search__contains=word) for rows in entities]
        then &= Q(sort_name__contains=word)
    named, keys, users = entities
    people = _people_of(words) if Kind.USER in kinds else Identity.objects.none()
    if context.at is None:
        matches = _matching(named, words, people)
    else:
        matches = Q(entity__in=named.values("pk")) | Q(arn__in=people.values("user_arn")) | then
    is_key = words[0].startswith(("akia", "asia")) or shown_end(text) != ""
    if Kind.USER in kinds and is_key:
        matches |= Q(entity__in=keys.values("owner"))
    if Kind.ACCESS_KEY in kinds:
        matches |= Q(entity__owner__in=users.values("pk"))
    return matches


def _matching(named: QuerySet[Entity], words: list[str], people: QuerySet[Identity]) -> Q:
    """Return the condition for entities that contain the words, and for users of people.

    If there is a text index, one or two queries decide which way is faster. Few matches are found first by
    their index and then sorted. With many, each row is checked in the order of the list until the page is
    full, because finding all first would take as long as for the whole list. Without an index, each row is
    checked at once.
    """
    condition = Q()
    for word in words:
        condition &= Q(entity__search__contains=word)
    if not has_text_index():
        return condition | Q(entity__in=_users_of(people.values("user_arn")).values("pk"))
    arns = list(people.order_by().values_list("user_arn", flat=True)[: MAX_LISTED_ARNS + 1])
    are_few = len(arns) <= MAX_LISTED_ARNS
    theirs: list[str] | QuerySet[Any, Any] = arns if are_few else people.values("user_arn")
    of_people = _users_of(theirs)
    if named.order_by()[: MANY + 1].count() <= MANY and are_few:
        wanted = named | of_people if arns else named
        # The limit keeps the database from scanning the whole list anyway.
        return Q(entity__in=wanted.order_by().values("pk")[: MANY + MAX_LISTED_ARNS])
    return condition | Q(entity__in=of_people.values("pk")) if arns else condition


def has_text_index() -> bool:
    """Return True if the database has a text index for substrings. SQLite doesn't."""
    return connection.vendor == "postgresql"


def _users_of(arns: list[str] | QuerySet[Any, Any]) -> QuerySet[Entity]:
    return Entity.objects.filter(kind=Kind.USER, arn__in=arns)


def _people_of(words: list[str]) -> QuerySet[Identity]:
    """Return the links of people with every word in their name or email address."""
    people = Person.objects.all()
    for word in words:
        people = people.filter(matches(word, "name", "email"))
    return Identity.objects.filter(person__in=people.values("pk"))
