"""Computes the codes that an authenticator app shows for a seed (RFC 6238 as AWS's virtual devices use it:
SHA-1, 30 seconds, six digits), and the drift of its clock.

https://www.rfc-editor.org/rfc/rfc6238
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

STEP: Final = 30
FARTHEST: Final = 12 * 3600 // STEP
"""Number of steps to search in either direction: half a day, which covers a wrong time zone."""


def code_at(seed: str, step: int) -> str:
    """Return the six digits for a base32 seed in a step of 30 seconds since 1970 (RFC 6238)."""
    padding = "=" * (-len(seed) % 8)
    key = base64.b32decode(seed + padding, casefold=True)
    digest = hmac.new(key, max(0, step).to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


@dataclass(frozen=True, slots=True)
class CodeReading:
    """The result of comparing two codes. `skew` is by how many seconds the device's clock is ahead (negative:
    behind) if the codes are consecutive, or else None. `are_swapped` means that they are consecutive in
    reverse order. `are_known` means that both are codes of this device but not consecutive.
    """

    skew: int | None = None
    are_swapped: bool = False
    are_known: bool = False


def reading_of(seed: str, first: str, second: str, *, at: float) -> CodeReading:
    """Compare two codes with those that the device shows around a time (seconds since 1970). The second code
    is the newer one.
    """
    now = int(at // STEP)
    steps = range(now - FARTHEST, now + FARTHEST + 1)
    codes = {step: code_at(seed, step) for step in steps}
    nearest = sorted(codes, key=lambda step: abs(step - now))
    for step in nearest:
        if codes[step] == second and codes.get(step - 1) == first:
            return CodeReading(skew=(step - now) * STEP)
    for step in nearest:
        if codes[step] == first and codes.get(step - 1) == second:
            return CodeReading(are_swapped=True)
    # 20 steps before and after now: ten minutes.
    near = {codes[step] for step in nearest[: 2 * 20 + 1]}
    return CodeReading(are_known={first, second} <= near)


def address_of(seed: str, *, user_name: str, account: str) -> str:
    """Return the address in the QR code for authenticator apps. The issuer is the one that AWS uses."""
    label = quote(f"Amazon Web Services:{user_name}@{account}", safe="")
    return f"otpauth://totp/{label}?secret={seed}&issuer=Amazon%20Web%20Services"
