"""Defines an action: an act of the domain as pages offer it."""

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
"""Parts of the actions menu, in order."""


@dataclass(frozen=True, slots=True)
class ActAction:
    """An action's button and questions.

    `title` has a placeholder for the subject's name, and `part` is its place in the menu. `begin` returns
    initial form values for a named item of the subject, such as a policy. `sealed_label` is the label of a
    secret that is entered with the reason and never shown again.
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
        """The act that is requested."""
        return ACTS[self.slug]
