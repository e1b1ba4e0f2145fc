"""Indexes statements by the beginning of their resource patterns, so that questions skip those about other
resources.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterator
from typing import Final

from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.shapes import WILD


class SingleStatement:
    """One statement from one document. Most starts have no more, and a set of sets takes six times the
    memory.
    """

    __slots__ = ("clause", "doc")

    def __init__(self, clause: IndexedStatement, doc: IndexedDocument) -> None:
        self.clause, self.doc = clause, doc

    def items(self) -> tuple[tuple[IndexedStatement, Collection[IndexedDocument]]]:
        """The items in the form of a mapping's items."""
        return ((self.clause, (self.doc,)),)


EVERYWHERE: Final = ("",)
Held = SingleStatement | dict[IndexedStatement, set[IndexedDocument]]


def starts_of(clause: IndexedStatement) -> tuple[str, ...]:
    """The characters before the first wildcard of each pattern; a single "" if the statement may apply to
    everything.
    """
    if clause.beginning:
        return (clause.beginning,)
    if clause.resources is None or clause.shape.is_not_resource:
        return EVERYWHERE
    starts = {WILD.split(name, maxsplit=1)[0] for name in clause.resources}
    return EVERYWHERE if "" in starts else tuple(starts)


class StatementHolders:
    """The statements with one Action element, by their starts, each with the documents that contain it."""

    __slots__ = ("_longest", "_sorted", "by_start")

    def __init__(self) -> None:
        self.by_start: dict[str, Held] = {}
        self._sorted: list[str] | None = None
        self._longest = 0

    def add(self, start: str, clause: IndexedStatement, doc: IndexedDocument) -> None:
        """Add a statement of a document under a start."""
        holder = self.by_start.get(start)
        if holder is None:
            self.by_start[start] = SingleStatement(clause, doc)
            self._longest = max(self._longest, len(start))
            if self._sorted is not None:
                insort(self._sorted, start)
            return
        if isinstance(holder, SingleStatement):
            holder = self.by_start[start] = {holder.clause: {holder.doc}}
        docs = holder.get(clause)
        if docs is None:
            docs = holder[clause] = set()
        docs.add(doc)

    def discard(self, start: str, clause: IndexedStatement, doc: IndexedDocument) -> None:
        """Remove a statement of a document under a start."""
        holder = self.by_start.get(start)
        if holder is None:
            return
        if isinstance(holder, SingleStatement):
            is_gone = holder.clause is clause and holder.doc is doc
        else:
            if clause in holder:
                holder[clause].discard(doc)
                if not holder[clause]:
                    del holder[clause]
            is_gone = not holder
        if is_gone:
            del self.by_start[start]
            if self._sorted is not None:
                del self._sorted[bisect_left(self._sorted, start)]

    def about(self, resource: str) -> Iterator[Held]:
        """The statements with a pattern that may match a resource, and some others."""
        by_start, longest = self.by_start, min(len(resource), self._longest)
        if len(by_start) <= longest:
            for start, holder in by_start.items():
                if resource.startswith(start):
                    yield holder
            return
        for end in range(longest + 1):
            holder_of_start = by_start.get(resource[:end])
            if holder_of_start is not None:
                yield holder_of_start

    def meeting(self, start: str) -> Iterator[Held]:
        """The statements with a pattern that may match something beginning with `start`, and some others."""
        if not start:
            yield from self.by_start.values()
            return
        yield from self.about(start)
        if self._sorted is None:
            self._sorted = sorted(self.by_start)
        names = self._sorted
        for place in range(bisect_right(names, start), len(names)):
            if not names[place].startswith(start):
                return
            yield self.by_start[names[place]]
