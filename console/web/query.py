"""The query of an address as a value: each link of a page is the page's own query with a few things
changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class QueryPairs:
    """Names and values in order; empty values are never kept."""

    pairs: Pairs = ()

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> QueryPairs:
        """From names and values, without the empty ones."""
        return cls(tuple((name, value) for name, value in pairs if value))

    def with_values(self, **changes: str | Iterable[str]) -> QueryPairs:
        """With other values for some names; an underscore in a name means a hyphen, "" removes the name."""
        new_values = {name.replace("_", "-"): value for name, value in changes.items()}
        pairs = [(name, value) for name, value in self.pairs if name not in new_values]
        for name, values in new_values.items():
            if isinstance(values, str):
                pairs.append((name, values))
            else:
                pairs += [(name, value) for value in values]
        return QueryPairs.from_pairs(pairs)

    def without(self, name: str, value: str) -> QueryPairs:
        """Without one value of a name."""
        return QueryPairs(tuple(pair for pair in self.pairs if pair != (name, value)))

    def with_only(self, *names: str) -> QueryPairs:
        """Nothing but these names."""
        return QueryPairs(tuple(pair for pair in self.pairs if pair[0] in names))

    def __str__(self) -> str:
        """`?name=value`; a bare `?` when nothing is left, which is the address of the page without a
        query.
        """
        return f"?{_encoded(self.pairs)}"


@lru_cache(maxsize=256)
def _encoded(pairs: Pairs) -> str:
    """Kept, because an answer repeats the query of its page in hundreds of links."""
    return urlencode(pairs)
