"""Builds the select elements of a filter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.http import HttpRequest


def filter_selects(
    request: HttpRequest, options: Mapping[str, tuple[str, str, Collection[tuple[Any, Any]]]]
) -> list[dict[str, Any]]:
    """Return a select per query parameter: its label, the text for “all”, and (value, label) pairs."""
    selects = []
    for name, (label, everything, values) in options.items():
        selects.append(
            {
                "id": f"f-{name}",
                "name": name,
                "label": label,
                "any": everything,
                "options": values,
                "chosen": request.GET.get(name, ""),
            }
        )
    return selects
