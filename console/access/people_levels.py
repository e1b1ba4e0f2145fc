"""Access-level bars of the people in a list, loaded by htmx after the list, or shown as a page without
scripts.
"""

from __future__ import annotations

from functools import lru_cache

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from console.access.bars import quarters
from console.identities.lists.list_address import ListAddress, read
from console.identities.lists.people import PAGE, RIGHTS, page_for
from console.web.access import ViewerRequest, require
from console.web.access_levels import plain_words
from console.web.asof import asof_context
from console.web.render import is_fragment
from console.web.templatetags.ui import LEVELS
from console.web.unsynced import unsynced_note
from iam.access.levels import LevelCounts, levels_of, totals
from iam.guard import Viewer
from iam.keyset import Row
from iam.mirror.pull.sections import USERS
from iam.mirror.queries.lists.core import list_page
from iam.policy.catalogue import AccessLevel

CELL = "innerHTML:tr:has([href^=&quot;/people/{}/&quot;])>.lv"
"""Marks the place of a bar; an element per person with its own address would make the page longer."""


@require_safe
@require(*RIGHTS)
def people_levels(request: ViewerRequest) -> HttpResponse:
    """Render a bar for each person on the page of the list with this address."""
    asked = read(request, page_for(request.viewer))
    people = _people(asked)
    levels_by_user = levels_of({row["entity"]: row["number"] for row in people}, at=request.at)
    shown_by_user = {pk: levels_shown(levels, viewer=request.viewer) for pk, levels in levels_by_user.items()}
    if not is_fragment(request):
        return _page(request, asked, people, shown_by_user)
    cells = (
        (SafeString(CELL.format(int(pk))), format_html('<a href="{}">{}</a>', _address(pk, asked), shown))
        for pk, shown in shown_by_user.items()
    )
    return HttpResponse(format_html_join("\n", '<div hx-swap-oob="{}">{}</div>', cells))


def _people(asked: ListAddress) -> list[Row]:
    after = asked.after.place if asked.after else None
    before = asked.before.place if asked.before else None
    slice_of_users = list_page(
        PAGE.listing,
        asked.list_context,
        asked.wanted,
        after=after,
        before=before,
    )
    return slice_of_users.rows


def _page(
    request: ViewerRequest, asked: ListAddress, people: list[Row], shown_by_user: dict[int, SafeString]
) -> HttpResponse:
    rows = [
        {
            "name": row["display"],
            "login": row["name"],
            "account": row["account_name"],
            "url": _address(row["entity"], asked),
            "bar": shown_by_user[row["entity"]],
        }
        for row in people
        if row["entity"] in shown_by_user
    ]
    context = asof_context(request, account=asked.list_context.account) | {
        "section": "people",
        "account": asked.list_context.account,
        "rows": rows,
        "unsynced": "" if rows else unsynced_note(request, USERS),
        "back": f"{reverse('identities:people')}?{request.GET.urlencode()}",
    }
    return render(request, "access/people_levels.html", context)


def _address(pk: int, asked: ListAddress) -> str:
    return f"{reverse('access:person', args=[pk])}{asked.query.with_only('account', 'as-of')}".rstrip("?")


def levels_shown(levels: LevelCounts, *, viewer: Viewer) -> SafeString:
    """A small bar; 'Can list and read' for viewers who see no accounts."""
    if viewer.sees_accounts:
        return small_bar(levels)
    granted = [level for level, count in zip(AccessLevel, levels, strict=True) if count]
    return format_html('<span class="small">{}</span>', plain_words(granted) or "No access")


@lru_cache(maxsize=4096)
def small_bar(levels: LevelCounts) -> SafeString:
    """Render the small bar: the share of AWS's actions per level, with a text for screen readers."""
    items = [
        (key, quarters(count, whole), letter, f"{name}: {count:,} of {whole:,} actions")
        for (key, name, letter), count, whole in zip(LEVELS, levels, totals(), strict=True)
    ]
    rows = format_html_join(
        "",
        '<li data-l="{}" data-f="{}"><span><abbr title="{}" aria-hidden="true">{}</abbr><span '
        'class="sr">{}</span></span></li>',
        ((key, fill, words, letter, words) for key, fill, letter, words in items),
    )
    return format_html('<ul class="lvl mini">{}</ul>', rows)
