"""Query string of an address as a value, so that a page's links repeat its own query with a few changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class QueryPairs:
    """Names and values in order; empty values are dropped."""

    pairs: Pairs = ()

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[str, str]]) -> QueryPairs:
        """Build from pairs, without empty values."""
        return cls(tuple((name, value) for name, value in pairs if value))

    def with_values(self, **changes: str | Iterable[str]) -> QueryPairs:
        """Return a copy with other values for some names.

        An underscore in a name stands for a hyphen; "" removes the name.
        """
        new_values = {name.replace("_", "-"): value for name, value in changes.items()}
        pairs = [(name, value) for name, value in self.pairs if name not in new_values]
        for name, values in new_values.items():
            if isinstance(values, str):
                pairs.append((name, values))
            else:
                pairs += [(name, value) for value in values]
        return QueryPairs.from_pairs(pairs)

    def without(self, name: str, value: str) -> QueryPairs:
        """Return a copy without one value of a name."""
        return QueryPairs(tuple(pair for pair in self.pairs if pair != (name, value)))

    def with_only(self, *names: str) -> QueryPairs:
        """Return a copy with only these names."""
        return QueryPairs(tuple(pair for pair in self.pairs if pair[0] in names))

    def __str__(self) -> str:
        """Return `?name=value`, or a bare `?` if empty, which is the address of the page without a query."""
        return f"?{_encoded(self.pairs)}"


@lru_cache(maxsize=256)
def _encoded(pairs: Pairs) -> str:
    """Return the encoded pairs, cached because a page repeats its query in hundreds of links."""
    return urlencode(pairs)
