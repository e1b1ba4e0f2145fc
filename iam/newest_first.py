"""Pages of lists in which the newest row comes first: the place after which a page begins, as it is in an
address, and the rows of a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is in the list."""

    at: datetime
    pk: UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.pk.hex}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """From the address; None for what is no place."""
        at, _, pk = text.partition("~")
        try:
            moment = datetime.fromisoformat(at)
            return cls(moment.astimezone(UTC), UUID(pk)) if moment.tzinfo else None
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of the list, and the place after which the next one begins; None: this is the last."""

    rows: list[T]
    following: Place | None
