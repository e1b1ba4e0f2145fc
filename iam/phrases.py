"""Formats lists and numbers in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def joined(words: Sequence[str], *, last: str = "and") -> str:
    """Join the words as "a", "a and b" or "a, b and c". `last` comes before the last one."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def first_names(names: Sequence[str], most: int = 5) -> str:
    """The first names, and the number of the rest."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as "1 role", "1,204 roles" or "20 people"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
