"""Identifiers in AWS's format: unique IDs, access key IDs that contain their account, and request IDs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

import base64
import hashlib
import uuid

from moto.moto_api._internal import mock_random

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# AWS encodes half of the account ID, plus this offset, in the first characters of an ID.
OFFSET = 1 << 39


def account_part(account: str) -> str:
    """Return the eight characters that encode the account. The character after them shows whether the account
    ID is odd.
    """
    return base64.b32encode((int(account) // 2 + OFFSET).to_bytes(5, "big")).decode()


def account_of(access_key_id: str) -> str | None:
    """Return the account that an access key ID contains; None if it contains none."""
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
    """Return a 21-character unique ID that depends only on the arguments, for seeded entities."""
    return prefix + account_part(account) + _letters("unique", prefix, account, *parts)[:9]


def stable_key(prefix: str, account: str, *parts: str) -> str:
    """Return a 20-character access key ID that contains the account and depends only on the arguments."""
    return prefix + account_part(account) + _parity(account, _letters("key", prefix, account, *parts))


def fresh(prefix: str, account: str, *, length: int = 21) -> str:
    """Return a new unique ID from moto's random numbers, which are seeded for each write, so that a replay
    gives the same IDs.
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
    """Return the ID of a seeded EC2 instance."""
    return f"i-{digest('instance', account, name)[:17]}"


def as_uuid(*parts: str) -> str:
    """Return a UUID that depends only on the parts."""
    return str(uuid.UUID(digest(*parts)[:32]))
