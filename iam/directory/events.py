"""What the directory tells the layers above it: they register a handler when they start."""

from __future__ import annotations

from collections.abc import Callable

from iam.directory.models import Person

Handler = Callable[[Person], None]
_reduced: list[Handler] = []


def on_rights_reduced(handler: Handler) -> Handler:
    """Register what happens, in the same transaction, when a role was taken or a person deactivated."""
    if handler not in _reduced:
        _reduced.append(handler)
    return handler


def rights_reduced(person: Person) -> None:
    """Tell every handler."""
    for handler in _reduced:
        handler(person)
