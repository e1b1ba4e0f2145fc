"""The access levels of the people of a page of the list, which its table asks for once it is shown."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from console.access.bars import quarters
from console.web.access import ViewerRequest, require
from console.web.render import is_fragment
from console.web.templatetags.ui import LEVELS
from iam.access.levels import Levels, levels_of, totals
from iam.guard import Right
from iam.mirror.models import Kind
from iam.mirror.queries.visibility import visible_entities

MOST: Final = 50
"""Rows of a page."""


@require_safe
@require(Right.SEE_ACCOUNT, Right.SEE_TEAM)
def people_levels(request: ViewerRequest) -> HttpResponse:
    """A bar for each of the people, to be put in its place; without htmx there is only the list itself."""
    if not is_fragment(request):
        return redirect("identities:people")
    asked = [int(text) for text in request.GET.getlist("id")[:MOST] if text.isdecimal() and len(text) < 19]
    people = dict(
        visible_entities(request.viewer)
        .filter(pk__in=asked, kind=Kind.USER)
        .values_list("pk", "account__account_id")
    )
    found = levels_of(people, at=request.at)
    bars = ((pk, small_bar(levels)) for pk, levels in found.items())
    return HttpResponse(format_html_join("\n", '<a id="lv-{}" hx-swap-oob="innerHTML">{}</a>', bars))


@lru_cache(maxsize=4096)
def small_bar(levels: Levels) -> SafeString:
    """The bar in its small form: how much of what AWS has of each level, and in words for those who do not see it."""
    items = [
        (key, quarters(count, whole), letter, f"{name}: {count:,} of {whole:,} actions")
        for (key, name, letter), count, whole in zip(LEVELS, levels, totals(), strict=True)
    ]
    rows = format_html_join(
        "",
        '<li data-l="{}" data-f="{}"><span><abbr title="{}" aria-hidden="true">{}</abbr><span class="sr">{}</span></span></li>',
        ((key, fill, words, letter, words) for key, fill, letter, words in items),
    )
    return format_html('<ul class="lvl mini">{}</ul>', rows)
