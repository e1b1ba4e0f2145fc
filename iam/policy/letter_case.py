"""Upper and lower case in the policy language: only the letters A to Z have two, as in AWS.

Unicode knows more: the KELVIN SIGN (U+212A) becomes “k” and a dotted capital I becomes two characters. Taken
as the same, an action, a condition key or a value would match what AWS tells apart. See “Upper and lower case
means A to Z only” in docs/decisions.md.
"""

from __future__ import annotations

from typing import Final

_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """The text with A to Z in lower case, and every other character as it is."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def is_digits(text: str) -> bool:
    """Whether a text is one or more of the digits 0 to 9."""
    return text.isascii() and text.isdigit()
