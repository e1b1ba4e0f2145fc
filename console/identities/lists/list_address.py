"""Parses the address of a list: view, filters, order and position, with error messages."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404

from console.identities.lists.spec import ListFilter, ListPage
from console.web.access import ViewerRequest
from console.web.context import frame_of
from console.web.page_cursors import CursorError, PageCursor, decode
from console.web.query import QueryPairs
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import WORDS, ListQuery, ListSort

TEXT = 200
VALUES = 20


@dataclass(frozen=True, slots=True)
class ListAddress:
    """A parsed address. `query` is its normalized form without the position; `problems` are messages."""

    list_context: ListContext
    wanted: ListQuery
    query: QueryPairs
    after: PageCursor | None
    before: PageCursor | None
    problems: tuple[str, ...]

    @property
    def is_filtered(self) -> bool:
        """Whether the list shows less than everything."""
        return self.wanted.is_narrowed or self.wanted.tab != "all"


def read(request: ViewerRequest, page: ListPage) -> ListAddress:
    """Parse the address. Raises Http404 for an account that the viewer doesn’t see."""
    get, problems = request.GET, list[str]()
    number = get.get("account", "")
    account = frame_of(request).chosen
    if number and account is None:
        raise Http404
    list_context = ListContext(viewer=request.viewer, at=request.at, account=account)
    ending = " in the past." if list_context.at else "."
    tab = get.get("view", "all")
    if tab not in page.listing.tabs_for(list_context):
        problems.append(f"This list has no view “{tab[:TEXT]}”{ending}")
        tab = "all"
    default = page.listing.tabs[tab].sort
    order, orders = get.get("sort", ""), page.listing.sorts_for(list_context)
    name, descending = _sort(order, orders, default)
    if order and name != order.removeprefix("-"):
        problems.append(f"This list has no order “{order[:TEXT]}”{ending}")
    text = " ".join(get.get("q", "").replace("\x00", "")[:TEXT].split())
    problems += _cut(request, text)
    filters = _filters(request, page, list_context, problems)
    wanted = ListQuery(tab, text, filters, _ids(request), name, descending)
    after, before = _page_bounds(request, page.listing.sorts[name], problems)
    filter_pairs: list[tuple[str, str]] = []
    for filter_name, values in filters:
        filter_pairs.extend((filter_name, value) for value in values)
    query = QueryPairs.from_pairs(
        [
            ("view", "" if tab == "all" else tab),
            ("q", text),
            *filter_pairs,
            ("sort", "" if (name, descending) == (default, False) else f"{'-' * descending}{name}"),
            ("account", number),
            ("as-of", get.get("as-of", "") if list_context.at else ""),
        ]
    )
    return ListAddress(list_context, wanted, query, after, before, tuple(problems))


def _cut(request: ViewerRequest, text: str) -> list[str]:
    """Return a message if the search is too long."""
    problems = []
    if len(text.split()) > WORDS or len(request.GET.get("q", "")) > TEXT:
        problems.append(f"Only the first {WORDS} words of the search are used.")
    return problems


def _sort(text: str, offered: dict[str, ListSort], default: str) -> tuple[str, bool]:
    """Return the order in the address, or the default of the view."""
    name, descending = text.removeprefix("-"), text.startswith("-")
    if name in offered:
        return name, descending
    return (default if default in offered else "name"), False


def _filters(
    request: ViewerRequest, page: ListPage, list_context: ListContext, problems: list[str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    filters = []
    offered = page.filters_for(list_context)
    for known in page.filters:
        every = [value.strip() for value in request.GET.getlist(known.name)]
        texts = [value[:TEXT] for value in every[:VALUES]]
        if len(every) > VALUES:
            problems.append(f"Only the first {VALUES} values of the filter “{known.label}” are used.")
        values = tuple(dict.fromkeys(known.value_of(v) for v in texts if v and "\x00" not in v))
        wrong = [v for v in values if not _makes_sense(known, v) or known not in offered]
        problems += [
            f"“{known.label}: {value}” isn’t a filter of this list and was ignored." for value in wrong
        ]
        if kept := tuple(v for v in values if v not in wrong):
            filters.append((known.name, kept))
    return tuple(filters)


def _makes_sense(known: ListFilter, value: str) -> bool:
    return not known.choices or value in dict(known.choices)


def _ids(request: ViewerRequest) -> tuple[int, ...]:
    """Return the IDs of the selected rows; an invalid one becomes 0, which matches nothing."""
    numbers = []
    for text in request.GET.getlist("id"):
        number = int(text) if text.isdecimal() and len(text) < 19 else 0
        numbers.append(number)
    return tuple(numbers)


def _page_bounds(
    request: ViewerRequest, sort: ListSort, problems: list[str]
) -> tuple[PageCursor | None, PageCursor | None]:
    """Return the position after or before which the page starts, never both."""
    for name in ("after", "before"):
        if not (word := request.GET.get(name, "")):
            continue
        try:
            cursor = decode(word, kind=sort.kind)
        except CursorError:
            problems.append("This page of the list no longer exists. The first page is shown.")
            return None, None
        return (cursor, None) if name == "after" else (None, cursor)
    return None, None
