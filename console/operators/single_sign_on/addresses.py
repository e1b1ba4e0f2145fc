"""Email addresses as identity providers write them."""

from __future__ import annotations

MAX_ADDRESS_LENGTH = 254


def usable_address(claim: object) -> str:
    """The address, or "" for what is none: also for letters that become ASCII in lower case, such as the
    Kelvin sign.

    allauth puts addresses into lower case, after which nobody can tell such an address from that of its
    victim.
    """
    if not isinstance(claim, str) or not claim.isprintable() or len(claim) > MAX_ADDRESS_LENGTH:
        return ""
    address = claim.strip()
    not_ascii = [letter for letter in address if not letter.isascii()]
    is_disguised = any(letter.lower().isascii() or letter.upper().isascii() for letter in not_ascii)
    return "" if is_disguised else address
