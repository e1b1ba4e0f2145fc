"""Email addresses as identity providers write them."""

from __future__ import annotations

LONGEST_ADDRESS = 254


def usable_address(claim: object) -> str:
    """The address, or "" for what is none: also for letters that become ASCII in lower case, such as the
    Kelvin sign.

    allauth puts addresses into lower case, after which nobody can tell such an address from that of its
    victim.
    """
    if not isinstance(claim, str) or not claim.isprintable() or len(claim) > LONGEST_ADDRESS:
        return ""
    address = claim.strip()
    is_disguised = not address.isascii() and any(
        part.isascii()
        for letter in address
        if not letter.isascii()
        for part in (letter.lower(), letter.upper())
    )
    return "" if is_disguised else address
