"""The list of offered or retired templates, with search and categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from console.access.what.templates import ICONS, TONES, levels_of
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice, is_ticked
from console.web.query import QueryPairs
from console.web.render import render_page
from iam.access.templates.body import CATEGORIES, RISKS
from iam.access.templates.models import TemplateOrigin
from iam.access.templates.queries import OfferedTemplate, offered_templates
from iam.access.templates.services import may_write
from iam.guard import Right
from iam.search_words import folded, words_of

MAX_LENGTH: Final = 200
READERS: Final = (Right.SEE_ACCOUNT, Right.REQUEST_CHANGE)
"""Rights to see templates: viewers who see accounts or can request access for other people."""


@dataclass(frozen=True, slots=True)
class TemplateCard:
    """A template as a link."""

    url: str
    title: str
    description: str
    icon: str
    levels: str
    risk: str
    tone: str
    number: int
    is_ours: bool
    is_retired: bool


@require_GET
@require(*READERS)
def templates_page(request: ViewerRequest) -> HttpResponse:
    """Show the list, filtered by the search and category in the address."""
    text = " ".join(request.GET.get("q", "").replace("\x00", "")[:MAX_LENGTH].split())
    category = choice(request, "category", CATEGORIES)
    is_retired = is_ticked(request, "retired")
    every = offered_templates(with_retired=True)
    offers_shown = [offer for offer in every if (offer.template.retired_at is not None) is is_retired]
    query = QueryPairs.from_pairs(
        [("q", text), ("category", category), ("retired", "1" if is_retired else "")]
    )
    context = {
        "section": "templates",
        "text": text,
        "cards": [_card(offer) for offer in offers_shown if _matches(offer, text, category)],
        "total": len(offers_shown),
        "retired": len(every) - len(offers_shown) if not is_retired else len(offers_shown),
        "is_retired": is_retired,
        "category": category,
        "categories": _categories(offers_shown, query, category),
        "may_write": may_write(request.viewer),
        "cleared": str(query.with_only("retired")),
        "is_filtered": bool(text or category),
    }
    return render_page(request, "access/templates/list.html", context, partial="templates")


def _matches(offer: OfferedTemplate, text: str, category: str) -> bool:
    version = offer.version
    words = folded(f"{version.title} {offer.body.description} {offer.slug}")
    return (not category or version.category == category) and all(word in words for word in words_of(text))


def _card(offer: OfferedTemplate) -> TemplateCard:
    version = offer.version
    return TemplateCard(
        url=reverse("access:template", args=[offer.slug]),
        title=version.title,
        description=offer.body.description,
        icon=ICONS.get(version.category, "file-text"),
        levels=levels_of(version.digest, offer.body),
        risk=RISKS[version.risk],
        tone=TONES[version.risk],
        number=version.number,
        is_ours=offer.template.origin == TemplateOrigin.OWN,
        is_retired=offer.template.retired_at is not None,
    )


def _categories(
    offers: list[OfferedTemplate], query: QueryPairs, chosen: str
) -> list[tuple[str, str, str, bool]]:
    """Return (address, label, count, is chosen) for each category with templates."""
    counts: dict[str, int] = {}
    for offer in offers:
        counts[offer.version.category] = counts.get(offer.version.category, 0) + 1
    rows = [(str(query.with_values(category="")), "All", str(len(offers)), not chosen)]
    return rows + [
        (str(query.with_values(category=key)), label, str(counts[key]), key == chosen)
        for key, label in CATEGORIES.items()
        if key in counts
    ]
