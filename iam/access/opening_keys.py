"""Short words for groups of escalation paths in addresses, the same as long as the statements are."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from iam.policy.escalation.evidence import HeldStatement

OWN_KEY: Final = "gatehouse"
"""Gatehouse's own roles, which need what they can do: no finding, and not among the totals."""


def key_of(statements: Iterable[HeldStatement]) -> str:
    """The word of a group."""
    names = sorted(f"{statement.holder} {statement.policy} {statement.number}" for statement in statements)
    return blake2b("\n".join(names).encode(), digest_size=6).hexdigest()
