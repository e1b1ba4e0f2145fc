"""Facts that can be unknown: what a page shows instead of “none”, “0” or a green mark if something was not
synced.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma

NOT_SYNCED = "Not synced"
"""Text for a section, a card or a list."""
UNKNOWN = "Unknown"
"""Text for a single fact."""


@dataclass(frozen=True, slots=True)
class PartialCount:
    """A count that may be incomplete, because not all sections it is based on were synced."""

    number: int
    is_whole: bool = True

    @property
    def is_known(self) -> bool:
        """False if nothing was counted, but not everything was synced."""
        return self.is_whole or self.number > 0

    @property
    def text(self) -> str:
        """'1,204'; '3+' for at least three; a dash if unknown."""
        if self.is_whole:
            return intcomma(self.number)
        return f"{intcomma(self.number)}+" if self.number else "–"

    @property
    def title(self) -> str:
        """Explanation of the text if it isn’t a plain number, else ''."""
        if self.is_whole:
            return ""
        return "At least: not everything was synced" if self.number else NOT_SYNCED

    def tone(self, wanted: str) -> str:
        """Return the tone, or '' for a count of 0."""
        return wanted if self.number else ""


def figure(number: int, *, needs: Collection[str], unsynced: Collection[str]) -> PartialCount:
    """Return the count, marked as incomplete if one of the sections it needs was not synced."""
    return PartialCount(number, is_whole=not set(needs) & set(unsynced))


def none_or_unknown(none: str, *, needs: Collection[str], unsynced: Collection[str]) -> str:
    """Return `none`, or “Not synced” if one of the sections it needs was not synced."""
    return NOT_SYNCED if set(needs) & set(unsynced) else none
