"""The error of invalid grant terms, and strict parsing of terms from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from iam.access.grants.phrases import listed


class TermsError(ValueError):
    """Raised if terms can't be granted as written; the message says what is wrong and how to fix it.

    `part` is the form step with the error: who, what, accounts, until, why or preview.
    """

    def __init__(self, message: str, *, part: str) -> None:
        super().__init__(message)
        self.message = message
        self.part = part


@dataclass(frozen=True, slots=True)
class TermsPart:
    """Base class of parts of the terms; `kind` determines which other fields count."""

    kind: StrEnum

    @property
    def body(self) -> dict[str, Any]:
        """The JSON form, without empty fields."""
        plain: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value:
                plain[field.name] = list(value) if isinstance(value, tuple) else value
        return {**plain, "kind": str(self.kind)}


def known_texts(cls: type[Any], body: Mapping[str, Any], *, part: str) -> dict[str, Any]:
    """The text fields of the JSON. Raises TermsError for unknown fields, so that nothing is lost silently."""
    names = {field.name for field in fields(cls)}
    strange = sorted(set(body) - names)
    if strange:
        raise TermsError(f"{listed(strange)}: unknown field.", part=part)
    return {name: value.strip() for name, value in body.items() if isinstance(value, str)}


def kind_of(kinds: type[Any], body: Mapping[str, Any], *, part: str) -> Any:
    """The kind that the JSON names. Raises TermsError if it is unknown."""
    try:
        return kinds(body.get("kind"))
    except ValueError:
        raise TermsError(
            f"Choose {'who gets access' if part == 'who' else 'permissions'}.", part=part
        ) from None


def texts_of(body: Mapping[str, Any], name: str, *, part: str) -> tuple[str, ...]:
    """The list of texts under this name. Raises TermsError if it is not one."""
    value = body.get(name, [])
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise TermsError(f"{name} must be a list of texts.", part=part)
    return tuple(value)
