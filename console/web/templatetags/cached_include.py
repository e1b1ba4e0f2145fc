"""Template tag that renders a component once per set of values."""

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
    """Render a component with these values and nothing else of the page, cached per set of values.

    Types are part of the key, so that a safe text never replaces an equal one that needs escaping. Texts
    within tuples must not be safe.
    """
    key = tuple((name, type(value), value) for name, value in values.items())
    render = _rendered.__wrapped__ if settings.DEBUG else _rendered
    return render(component, key, zone_label())


@lru_cache(maxsize=CACHE_SIZE)
def _rendered(component: str, values: tuple[tuple[str, type, Hashable], ...], zone: str) -> SafeString:
    """Render and cache; `zone` is the reader's time zone, which is part of the key because the component
    shows times.
    """
    return render_to_string(component, {name: value for name, _, value in values})
