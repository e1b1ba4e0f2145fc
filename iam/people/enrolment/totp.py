"""What an authenticator app shows for a seed (RFC 6238 as AWS's virtual devices use it: SHA-1, 30 seconds,
six digits), and how wrong its clock is; pure.

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
"""So many steps to either side a clock is looked for: half a day, which a wrong time zone comes to."""


def code_at(seed: str, step: int) -> str:
    """The six digits of a base32 seed in a step of 30 seconds since 1970 (RFC 6238)."""
    padding = "=" * (-len(seed) % 8)
    key = base64.b32decode(seed + padding, casefold=True)
    digest = hmac.new(key, max(0, step).to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


@dataclass(frozen=True, slots=True)
class CodeReading:
    """What two codes say. `skew` is by how many seconds the clock of the device is ahead (or, negative,
    behind), where the codes are two in a row; None where they are not. `are_swapped`: they are, in the other
    order. `are_known`: both are codes of this device, and not in a row.
    """

    skew: int | None = None
    are_swapped: bool = False
    are_known: bool = False


def reading_of(seed: str, first: str, second: str, *, at: float) -> CodeReading:
    """Compare two codes with what the device shows around a moment (seconds since 1970); the second of them
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
    # 20 steps before and after now, ten minutes.
    near = {codes[step] for step in nearest[: 2 * 20 + 1]}
    return CodeReading(are_known={first, second} <= near)


def address_of(seed: str, *, user_name: str, account: str) -> str:
    """What a QR code holds for authenticator apps; the issuer is AWS's own."""
    label = quote(f"Amazon Web Services:{user_name}@{account}", safe="")
    return f"otpauth://totp/{label}?secret={seed}&issuer=Amazon%20Web%20Services"
