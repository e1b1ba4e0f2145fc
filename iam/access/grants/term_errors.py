"""What the terms of a grant share: the mistake that their rules name, and reading them from JSON without
losing anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from iam.access.grants.phrases import listed


class TermsError(ValueError):
    """The terms cannot be granted as they are written; the message says why, and what to write. `part` is
    who, what, accounts, until or why: the step on which it is put right.
    """

    def __init__(self, message: str, *, part: str) -> None:
        super().__init__(message)
        self.message = message
        self.part = part


@dataclass(frozen=True, slots=True)
class TermsPart:
    """A part of the terms, as a dataclass whose `kind` says which of its other fields count."""

    kind: StrEnum

    @property
    def body(self) -> dict[str, Any]:
        """As JSON; what is empty is left out."""
        plain: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value:
                plain[field.name] = list(value) if isinstance(value, tuple) else value
        return {**plain, "kind": str(self.kind)}


def known_texts(cls: type[Any], body: Mapping[str, Any], *, part: str) -> dict[str, Any]:
    """The members that are texts; refuses what it does not know, so that nothing is lost on the way."""
    names = {field.name for field in fields(cls)}
    strange = sorted(set(body) - names)
    if strange:
        raise TermsError(f"{listed(strange)}: unknown field.", part=part)
    return {name: value.strip() for name, value in body.items() if isinstance(value, str)}


def kind_of(kinds: type[Any], body: Mapping[str, Any], *, part: str) -> Any:
    """The kind that the JSON names. Raises TermsError."""
    try:
        return kinds(body.get("kind"))
    except ValueError:
        raise TermsError(
            f"Choose {'who gets access' if part == 'who' else 'permissions'}.", part=part
        ) from None


def texts_of(body: Mapping[str, Any], name: str, *, part: str) -> tuple[str, ...]:
    """A list of texts. Raises TermsError."""
    value = body.get(name, [])
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise TermsError(f"{name} must be a list of texts.", part=part)
    return tuple(value)
