"""Where in a list a page begins, as it stands in the address."""

from __future__ import annotations

from iam.mirror.queries.keyset import Place


def written(place: Place | None) -> str:
    """A place as text for the address; "" for none."""
    return f"{place.pk}~{place.value}" if place else ""


def parsed(text: str) -> Place | None:
    """The place in the address; None for none, and for text that is no place."""
    number, tilde, value = text.partition("~")
    return Place(value, int(number)) if tilde and number.isdecimal() and len(number) < 19 else None
