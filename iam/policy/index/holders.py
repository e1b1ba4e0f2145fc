"""Documents by where the resource patterns of their statements begin, so that a question passes by those about other resources."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Final

from iam.policy.document import Statement
from iam.policy.index.documents import Doc

WILD: Final = re.compile(r"[*?]|\$\{")
EVERYWHERE: Final = ("",)


def starts_of(source: Statement) -> tuple[str, ...]:
    """The letters before the first wildcard of each pattern; one that is empty for whatever may be about everything."""
    if source.resources is None or source.is_not_resource:
        return EVERYWHERE
    found = {WILD.split(name, maxsplit=1)[0] for name in source.resources}
    return EVERYWHERE if "" in found else tuple(found)


class Holders:
    """The documents that have one Action element, by the starts of its statements."""

    __slots__ = ("_longest", "_sorted", "by_start")

    def __init__(self) -> None:
        self.by_start: dict[str, set[Doc]] = {}
        self._sorted: list[str] | None = None
        self._longest = 0

    def add(self, start: str, doc: Doc) -> None:
        """Enter a document under a start."""
        docs = self.by_start.get(start)
        if docs is None:
            docs = self.by_start[start] = set()
            self._longest = max(self._longest, len(start))
            if self._sorted is not None:
                insort(self._sorted, start)
        docs.add(doc)

    def discard(self, start: str, doc: Doc) -> None:
        """Take a document out."""
        docs = self.by_start.get(start)
        if docs is None:
            return
        docs.discard(doc)
        if not docs:
            del self.by_start[start]
            if self._sorted is not None:
                del self._sorted[bisect_left(self._sorted, start)]

    def about(self, resource: str) -> Iterator[set[Doc]]:
        """Those with a pattern that may fit a resource, and some others."""
        by_start, longest = self.by_start, min(len(resource), self._longest)
        if len(by_start) <= longest:
            for start, docs in by_start.items():
                if resource.startswith(start):
                    yield docs
            return
        for end in range(longest + 1):
            found = by_start.get(resource[:end])
            if found is not None:
                yield found

    def meeting(self, start: str) -> Iterator[set[Doc]]:
        """Those with a pattern that may fit something that begins so, and some others."""
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
