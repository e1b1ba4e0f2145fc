"""Computes short URL keys for groups of escalation paths, which depend only on the statements."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from iam.policy.escalation.held_statements import HeldStatement

OWN_KEY: Final = "gatehouse"
"""The key of Gatehouse's own roles, which need their permissions: no finding, and not in the totals."""


def key_of(statements: Iterable[HeldStatement]) -> str:
    """The URL key of a group."""
    names = sorted(f"{statement.holder} {statement.policy} {statement.number}" for statement in statements)
    return blake2b("\n".join(names).encode(), digest_size=6).hexdigest()
