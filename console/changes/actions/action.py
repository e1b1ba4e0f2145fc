"""What an action is: an act of the domain as the pages offer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from console.changes.actions.fields import ActField
from iam.changes.acts import ACTS, Act, Subject

ACCESS: Final = "Access"
SETTINGS: Final = "Settings"
MAKE: Final = "Create"
END: Final = "Remove"
PARTS: Final = (MAKE, ACCESS, SETTINGS, END)
"""The parts of the menu of actions, in their order."""


@dataclass(frozen=True, slots=True)
class ActAction:
    """A button: its words, and what it asks.

    `title` has a place for the name of the subject. `part` is where in the menu it stands. `begin` tells what
    the form begins with for one of several things of the subject, by its name. `sealed_label` names a text
    that is given with the reason only and never shown again.
    """

    slug: str
    button: str
    title: str
    fields: tuple[ActField, ...] = ()
    is_danger: bool = False
    note: str = ""
    part: str = SETTINGS
    begin: Callable[[Subject, str], dict[str, str]] | None = None
    sealed_label: str = ""

    @property
    def act(self) -> Act:
        """What is requested with it."""
        return ACTS[self.slug]
