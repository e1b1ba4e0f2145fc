"""Letter case in the policy language: only A to Z have two cases, as in AWS.

Unicode has more: the KELVIN SIGN (U+212A) becomes “k”, and a dotted capital I becomes two characters. If they
were folded, actions, condition keys or values that AWS distinguishes would match. See “Upper and lower case
means A to Z only” in docs/decisions.md.
"""

from __future__ import annotations

from typing import Final

_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """Return the text with A to Z in lower case and all other characters unchanged."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def is_digits(text: str) -> bool:
    """Return True if the text is one or more of the digits 0 to 9."""
    return text.isascii() and text.isdigit()
