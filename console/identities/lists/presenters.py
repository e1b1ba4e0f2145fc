"""Context of the list template: tabs, filters, chips, column headers, rows and pagination."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.urls import reverse

from console.identities.lists.list_address import ListAddress
from console.identities.lists.spec import ListFilter, ListPage, TabWords
from console.web.known_facts import PartialCount, figure
from console.web.page_cursors import PageCursor, encode, first_number
from console.web.query import QueryPairs
from iam.keyset import KeysetPlace, Row
from iam.keyset import RowPage as Rows
from iam.mirror.models import SectionState
from iam.mirror.models.accounts import AccountSource
from iam.mirror.pull.sections import LABELS
from iam.mirror.queries.lists.counts import ADDED_SINCE, CAP, REMOVED_SINCE
from iam.mirror.queries.lists.freshness import SectionGap, SyncGaps
from iam.mirror.queries.lists.rows import PAGE


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A link to a saved view."""

    label: str
    url: str
    count: PartialCount
    tone: str
    current: bool


@dataclass(frozen=True, slots=True)
class FilterMenu:
    """A filter with its choices (value, label, is chosen) or with a text."""

    name: str
    label: str
    choices: tuple[tuple[str, str, bool], ...]
    text: str
    hint: str
    active: int


@dataclass(frozen=True, slots=True)
class FilterChip:
    """An active filter and the address without it."""

    label: str
    value: str
    url: str


@dataclass(frozen=True, slots=True)
class ColumnHead:
    """The header of a sortable column: the order it links to, and the current one ("ascending", "descending",
    "").
    """

    url: str
    direction: str


@dataclass(frozen=True, slots=True)
class GapNote:
    """The note about incomplete sections."""

    gap: SectionGap
    label: str
    words: str
    tone: str


_STATES = {
    SectionState.NEVER: ("not synced yet", "info"),
    SectionState.DENIED: ("AWS denied access", "warn"),
    SectionState.FAILED: ("sync failed", "warn"),
    SectionState.PARTIAL: ("synced in part", "info"),
    SectionState.HELD: ("sync on hold, because unusually many entries would be removed", "warn"),
}


def gap_notes(gaps: SyncGaps) -> list[GapNote]:
    """Return the notes above a list."""
    return [_gap_note(gap) for gap in gaps.shown]


def _gap_note(gap: SectionGap) -> GapNote:
    words, tone = _STATES[SectionState(gap.state)]
    if gap.account.source == AccountSource.EXPORT and gap.state == SectionState.NEVER:
        words = "not in the uploaded file"
    label = ", ".join(LABELS.get(name, name) for name in gap.sections)
    return GapNote(gap, label, words, tone)


@dataclass(frozen=True, slots=True)
class ListPager:
    """The position of the page in the list; addresses are "" if there is no such page."""

    first: int
    last: int
    total: str
    number: int
    start: str
    before: str
    after: str


def head(page: ListPage, asked: ListAddress, counts: dict[str, int], gaps: SyncGaps) -> dict[str, Any]:
    """Return the context above the table: title, tabs, filters and notes."""
    context, wanted, query = asked.list_context, asked.wanted, asked.query
    tabs = tuple(_tab(page, tab, asked, counts[tab.name], gaps) for tab in page.tabs if tab.name in counts)
    chosen = dict(wanted.filters)
    filters = page.filters_for(context)
    export = reverse(page.export_url, args=["csv"])
    needs = chain.from_iterable(tab.needs for tab in page.tabs if tab.name == wanted.tab)
    is_known = gaps.were_synced(page.listing.sections[0], *needs)
    chips = chain.from_iterable(_chips(known, chosen.get(known.name, ()), query) for known in filters)
    return {
        "page": page,
        "section": page.listing.name,
        "account": context.account,
        "tabs": tabs,
        "text": wanted.text,
        "menus": [_menu(known, chosen.get(known.name, ())) for known in filters],
        "chips": list(chips),
        "cleared": str(query.with_only("view", "sort", "account", "as-of")),
        "whole": str(query.with_only("account", "as-of")),
        "everywhere": str(query.with_values(account="")) if context.account else "",
        "kept": [pair for pair in query.pairs if pair[0] in {"view", "sort", "account", "as-of"}],
        "kept_by_files": query.with_only("account", "as-of").pairs,
        "csv": f"{export}{query}",
        "json": f"{export.removesuffix('csv')}json{query}",
        "csv_path": export,
        "json_path": f"{export.removesuffix('csv')}json",
        "problems": asked.problems,
        "is_filtered": asked.is_filtered,
        "intro": _intro(page, asked, counts, gaps),
        "find": page.find if context.viewer.sees_accounts else page.team_find or page.find,
        "nothing": _nothing(page, asked, is_known=is_known),
        "is_known": is_known,
    }


def _tab(page: ListPage, tab: TabWords, asked: ListAddress, number: int, gaps: SyncGaps) -> ViewLink:
    needs = (page.listing.sections[0], *tab.needs)
    count = figure(number, needs=needs, unsynced={*gaps.unsynced, *page.unknown})
    view = "" if tab.name == "all" else tab.name
    return ViewLink(
        label=tab.label,
        url=str(asked.query.with_values(view=view, sort="")),
        count=count,
        tone=count.tone(tab.tone),
        current=tab.name == asked.wanted.tab,
    )


def table(page: ListPage, asked: ListAddress, part: Rows[Row], counts: dict[str, int]) -> dict[str, Any]:
    """Return the rows, the column headers and the pagination."""
    context, wanted = asked.list_context, asked.wanted
    link = str(asked.query.with_only("account", "as-of")).rstrip("?")
    heads = {}
    for name in page.listing.sorts_for(context):
        is_shown = name == wanted.sort
        turned = is_shown and not wanted.descending
        turned_sort = f"-{name}" if turned else name
        direction = ""
        if is_shown:
            direction = "descending" if wanted.descending else "ascending"
        heads[name] = ColumnHead(url=str(asked.query.with_values(sort=turned_sort)), direction=direction)
    return {
        "heads": heads,
        "columns": page.table_columns(context),
        "rows": page.table_rows(part.rows, context, link=link),
        "link": link,
        "all_accounts": context.account is None,
        "pager": _pager(page, asked, part, counts),
    }


def _menu(known: ListFilter, values: tuple[str, ...]) -> FilterMenu:
    text = "" if known.choices else ", ".join(values)
    return FilterMenu(
        name=known.name,
        label=known.label,
        choices=tuple((value, label, value in values) for value, label in known.choices),
        text=text,
        hint=known.hint,
        active=len(values),
    )


def _chips(known: ListFilter, values: tuple[str, ...], query: QueryPairs) -> list[FilterChip]:
    return [
        FilterChip(known.label, known.label_of(value), str(query.without(known.name, value)))
        for value in values
    ]


def _pager(page: ListPage, asked: ListAddress, part: Rows[Row], counts: dict[str, int]) -> ListPager:
    length = len(part.rows)
    first = first_number(after=asked.after, before=asked.before, has_before=part.has_before, length=length)
    last = first + length - 1

    def link(side: str, place: KeysetPlace | None, number: int) -> str:
        return str(asked.query.with_values(**{side: encode(PageCursor(place, number))})) if place else ""

    first_shown = first if length else 0
    last_shown = last if length else 0
    start = str(asked.query) if asked.after or asked.before else ""
    return ListPager(
        first=first_shown,
        last=last_shown,
        total=_total(asked, counts[""], last, part),
        number=(first - 1) // PAGE + 1,
        start=start,
        before=link("before", part.before, first),
        after=link("after", part.after, last),
    )


def _total(asked: ListAddress, counted: int, last: int, part: Rows[Row]) -> str:
    """Return the number of rows: the cached count, corrected by what the page itself shows."""
    if not part.has_after and part.rows:
        return f"{last:,}"
    if asked.wanted.is_narrowed and counted > CAP:
        return f"more than {CAP:,}"
    return f"{max(counted, last + part.has_after):,}"


def _intro(page: ListPage, asked: ListAddress, counts: dict[str, int], gaps: SyncGaps) -> str:
    if asked.list_context.at:
        is_known = gaps.were_synced(page.listing.sections[0])
        return _difference_since(page, counts) if is_known else _unknown_then(page, counts)
    return page.intro if asked.list_context.viewer.sees_accounts else page.team_intro


def _unknown_then(page: ListPage, counts: dict[str, int]) -> str:
    """Return a note if an account had not been synced by then, so that the list may be incomplete."""
    if counts["all"]:
        return f"At least {page.counted(counts['all'])} at that moment: not everything was synced by then."
    return f"The {page.noun[1]} weren’t synced by that moment."


def _difference_since(page: ListPage, counts: dict[str, int]) -> str:
    """Return how the list differs from today's in total."""
    come, gone = counts[ADDED_SINCE], counts[REMOVED_SINCE]
    then = f"{page.counted(counts['all'])} at that moment."
    if come or gone:
        return f"{then} {come:,} added and {gone:,} removed since."
    return f"{then} None was added or removed since."


def _nothing(page: ListPage, asked: ListAddress, *, is_known: bool) -> str:
    """Return the text for an empty list: "No one matches “lukas”", or "No synced role matches …" if not all
    were synced.
    """
    wanted = asked.wanted
    filters = {list_filter.name: list_filter for list_filter in page.filters}
    sought = [f"“{wanted.text}”"] if wanted.text else []
    sought += [tab.phrase for tab in page.tabs if tab.name == wanted.tab and tab.phrase]
    for name, values in wanted.filters:
        list_filter = filters[name]
        labels = [list_filter.label_of(value) for value in values]
        sought.append(f"{list_filter.label}: {' or '.join(labels)}")
    singular, plural = page.noun
    if not sought:
        return f"No {plural}"
    nobody = "No one" if singular == "person" else f"No {singular}"
    if not is_known:
        nobody = f"No synced {singular}"
    return f"{nobody} matches {', '.join(sought)}"
