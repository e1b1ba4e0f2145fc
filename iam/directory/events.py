"""Events of the directory for higher layers, which register a handler at startup."""

from __future__ import annotations

from collections.abc import Callable

from iam.directory.models import Person

Handler = Callable[[Person], None]
_reduced: list[Handler] = []


def on_rights_reduced(handler: Handler) -> Handler:
    """Register a handler that runs in the same transaction when a role is removed or a person deactivated."""
    if handler not in _reduced:
        _reduced.append(handler)
    return handler


def rights_reduced(person: Person) -> None:
    """Call every handler."""
    for handler in _reduced:
        handler(person)
