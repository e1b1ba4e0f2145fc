"""Time-based one-time passwords as in AWS's virtual devices: SHA-1, 30 seconds, six digits (RFC 6238)."""

from __future__ import annotations

import base64
import hashlib
import hmac

STEP = 30


def code(seed: str, *, at: float) -> str:
    """Return the six digits that a device with this base32 seed shows at a time (seconds since 1970)."""
    padding = "=" * (-len(seed) % 8)
    key = base64.b32decode(seed + padding)
    digest = hmac.new(key, int(at // STEP).to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def are_consecutive(seed: str, first: str, second: str, *, at: float, behind: int, ahead: int) -> bool:
    """Return True if the codes are consecutive and the second is at most `behind` steps before or `ahead`
    steps after the time.
    """
    return any(
        code(seed, at=at + (step - 1) * STEP) == first and code(seed, at=at + step * STEP) == second
        for step in range(-behind, ahead + 1)
    )
