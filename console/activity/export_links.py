"""The buttons to export events with the page's filter."""

from __future__ import annotations

from django.urls import reverse

from console.web.access import ViewerRequest
from console.web.query import QueryPairs
from iam.guard import Right


def export_links(request: ViewerRequest, name: str, *arguments: int) -> list[tuple[str, str]]:
    """Return the export buttons with the page's filter; empty for viewers without the right to export."""
    if not request.viewer.may(Right.EXPORT):
        return []
    pairs = [(key, str(value)) for key, value in request.GET.items() if key != "after"]
    query = QueryPairs.from_pairs(pairs)
    return [
        (label, f"{reverse(name, args=[*arguments, form])}{query}")
        for label, form in (("CSV", "csv"), ("JSON", "json"))
    ]
