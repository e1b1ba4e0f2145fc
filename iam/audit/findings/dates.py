"""Parses dates among the facts of an entity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def moment_in(attrs: Mapping[str, Any], name: str) -> datetime | None:
    """The time stored as ISO 8601 under this name; None if missing."""
    return moment_of(attrs.get(name))


def moment_of(text: object) -> datetime | None:
    """Parse an ISO 8601 time; None for anything else."""
    if not isinstance(text, str) or "T" not in text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
