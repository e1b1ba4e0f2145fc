"""Validates and splits text that one person types and another relies on to decide."""

from __future__ import annotations

import unicodedata
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

# https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters: these reverse the order of the
# letters around them.
_turns_nothing = RegexValidator(
    "[\u202a-\u202e\u2066-\u2069]",
    "This contains an invisible character that reverses the order of letters. Type it again.",
    code="bidi",
    inverse_match=True,
)
# Unicode general categories: letters, numbers, punctuation and symbols.
_VISIBLE: Final = frozenset("LNPS")


def reads_as_stored(text: str) -> None:
    """Raise ValidationError for a text that reads differently from what is stored, or that is invisible."""
    _turns_nothing(text)
    if text.strip() and not any(unicodedata.category(letter)[0] in _VISIBLE for letter in text):
        raise ValidationError("This has only invisible characters. Type it again.", code="invisible")


def uuid_in(text: str) -> UUID | None:
    """Parse a UUID; None if the text isn’t one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def distinct_lines(text: str) -> tuple[str, ...]:
    """Return the distinct lines that aren’t blank, stripped."""
    lines = [line.strip() for line in text.splitlines()]
    return tuple(dict.fromkeys(line for line in lines if line))
