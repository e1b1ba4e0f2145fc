"""Identifiers in AWS's shape: unique ids, access key ids that name their account, request ids.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

import base64
import hashlib
import uuid

from moto.moto_api._internal import mock_random

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# AWS writes half of the account number, above this offset, into the first characters of an id.
OFFSET = 1 << 39


def account_part(account: str) -> str:
    """Eight characters that stand for the account; whether its number is odd is written after them."""
    return base64.b32encode((int(account) // 2 + OFFSET).to_bytes(5, "big")).decode()


def account_of(access_key_id: str) -> str | None:
    """The account written into an access key id, or None when the id holds none."""
    if len(access_key_id) != 20 or access_key_id[:4] not in {"AKIA", "ASIA"}:
        return None
    try:
        half = int.from_bytes(base64.b32decode(access_key_id[4:12]), "big") - OFFSET
    except ValueError:
        return None
    if half < 0:
        return None
    return f"{half * 2 + (access_key_id[12] in ALPHABET[16:]):012d}"


def stable(prefix: str, account: str, *parts: str) -> str:
    """A 21-character unique id that depends only on its arguments, for seeded entities."""
    return prefix + account_part(account) + _letters("unique", prefix, account, *parts)[:9]


def stable_key(prefix: str, account: str, *parts: str) -> str:
    """A 20-character access key id that depends only on its arguments and from which the account can be
    read.
    """
    return prefix + account_part(account) + _parity(account, _letters("key", prefix, account, *parts))


def fresh(prefix: str, account: str, *, length: int = 21) -> str:
    """Return a new unique ID from moto's random numbers, which are seeded per write so that a replay repeats
    them.
    """
    head = prefix + account_part(account)
    return head + "".join(mock_random.choice(ALPHABET) for _ in range(length - len(head)))


def _letters(*parts: str) -> str:
    return base64.b32encode(hashlib.sha256("\x1f".join(parts).encode()).digest()).decode()[:40]


def _parity(account: str, letters: str) -> str:
    half = ALPHABET[16:] if int(account) % 2 else ALPHABET[:16]
    return half[ALPHABET.index(letters[0]) % 16] + letters[1:8]


def digest(*parts: str) -> str:
    """Return a hexadecimal digest of the parts, for deterministic choices."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def instance_id(account: str, name: str) -> str:
    """The ID of a seeded EC2 instance."""
    return f"i-{digest('instance', account, name)[:17]}"


def as_uuid(*parts: str) -> str:
    """A UUID that depends only on the parts."""
    return str(uuid.UUID(digest(*parts)[:32]))
