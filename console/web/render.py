"""Renders either a full page or only its partial for htmx."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

STOP: Final = 286
"""Status that makes htmx stop polling."""


def is_fragment(request: HttpRequest) -> bool:
    """Return whether htmx requested a part of the page; a history restore needs the whole page."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    partial: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or only `partial` of it if htmx requests a fragment."""
    name = f"{template}#{partial}" if partial and is_fragment(request) else template
    return render(request, name, context, status=status)


def render_live(request: HttpRequest, template: str, context: dict[str, Any], *, pace: str) -> HttpResponse:
    """Render a page whose partial `live` polls at the interval `pace`; "" ends the polling."""
    is_update = is_fragment(request)
    status = STOP if is_update and not pace else 200
    shown = context | {"pace": pace, "is_update": is_update}
    return render_page(request, template, shown, partial="live", status=status)
