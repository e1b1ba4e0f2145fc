"""Renders what repeats only once: a component per set of values."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from console.web.moments import zone_label

register = template.Library()
CACHE_SIZE = 4096


@register.simple_tag
def cached_include(component: str, **values: Hashable) -> SafeString:
    """A component that sees these values and nothing else of the page, and is therefore rendered once for
    each set of them.

    Values are told apart by type too: a safe text must never stand for an equal one that is to be escaped.
    Within tuples no text may be safe.
    """
    key = tuple((name, type(value), value) for name, value in values.items())
    render = _rendered.__wrapped__ if settings.DEBUG else _rendered
    return render(component, key, zone_label())


@lru_cache(maxsize=CACHE_SIZE)
def _rendered(component: str, values: tuple[tuple[str, type, Hashable], ...], zone: str) -> SafeString:
    """`zone` is the reader's, in which the component shows moments: readers elsewhere need another text."""
    return render_to_string(component, {name: value for name, _, value in values})
