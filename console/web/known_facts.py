"""Facts that can be unknown: what a page shows instead of "none", "0" or a green mark when something was not
synced.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma

NOT_SYNCED = "Not synced"
"""What is said of a section, a card or a list."""
UNKNOWN = "Unknown"
"""What is said of a single fact."""


@dataclass(frozen=True, slots=True)
class PartialCount:
    """A number of things of which some may not be known, since not all that it is counted from was synced."""

    number: int
    is_whole: bool = True

    @property
    def is_known(self) -> bool:
        """False where there can be some although none is known."""
        return self.is_whole or self.number > 0

    @property
    def text(self) -> str:
        """'1,204'; '3+' for at least three; a dash for nothing known."""
        if self.is_whole:
            return intcomma(self.number)
        return f"{intcomma(self.number)}+" if self.number else "–"

    @property
    def title(self) -> str:
        """What the text means where it is not a plain number."""
        if self.is_whole:
            return ""
        return "At least: not everything was synced" if self.number else NOT_SYNCED

    def tone(self, wanted: str) -> str:
        """The tone of the count: none where nothing is known."""
        return wanted if self.number else ""


def figure(number: int, *, needs: Collection[str], unsynced: Collection[str]) -> PartialCount:
    """A number that is counted from some sections, of which some were not synced."""
    return PartialCount(number, is_whole=not set(needs) & set(unsynced))


def none_or_unknown(none: str, *, needs: Collection[str], unsynced: Collection[str]) -> str:
    """What is said of something of which there is nothing in the mirror: `none`, or that it was not
    synced.
    """
    return NOT_SYNCED if set(needs) & set(unsynced) else none
