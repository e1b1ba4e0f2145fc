"""Lists and numbers within sentences."""

from __future__ import annotations

from collections.abc import Sequence


def joined(words: Sequence[str], *, last: str = "and") -> str:
    """ "a", "a and b", "a, b and c"; "" for none. `last` comes before the last one."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """ "1 role", "1,204 roles", "20 people"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
