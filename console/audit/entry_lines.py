"""Lines of the journal page: one per change, with its earlier entries inside, and one per other entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.audit.entry_sentences import details_of, words_of
from console.audit.requests import RequestReference
from iam.journal.models import Entry


@dataclass(slots=True)
class EntryLine:
    """A journal entry for the page; `earlier` are entries of the same page about the same change."""

    entry: Entry
    words: str
    details: list[tuple[str, str]]
    reference: RequestReference | None
    earlier: list[tuple[Entry, str]] = field(default_factory=list)


def lines_of(entries: Sequence[Entry], references: Mapping[int, RequestReference]) -> list[EntryLine]:
    """Return the lines of a page, newest first; entries about one change are grouped at the newest of
    them.
    """
    lines: list[EntryLine] = []
    by_change: dict[str, EntryLine] = {}
    for entry in entries:
        reference = references.get(entry.id)
        words = words_of(entry, reference)
        change = str(entry.data.get("change", "")) if entry.kind.startswith("change.") else ""
        if change and change in by_change:
            by_change[change].earlier.append((entry, words))
            continue
        line = EntryLine(entry, words, details_of(entry), reference)
        lines.append(line)
        if change:
            by_change[change] = line
    return lines
