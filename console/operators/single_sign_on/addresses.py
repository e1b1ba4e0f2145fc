"""Validates email addresses from identity providers."""

from __future__ import annotations

MAX_ADDRESS_LENGTH = 254


def usable_address(claim: object) -> str:
    """Return the address, or "" if it is invalid, such as with letters that become ASCII in lower case (the
    Kelvin sign).

    allauth converts addresses to lower case, after which such an address equals that of its victim.
    """
    if not isinstance(claim, str) or not claim.isprintable() or len(claim) > MAX_ADDRESS_LENGTH:
        return ""
    address = claim.strip()
    not_ascii = [letter for letter in address if not letter.isascii()]
    is_disguised = any(letter.lower().isascii() or letter.upper().isascii() for letter in not_ascii)
    return "" if is_disguised else address
