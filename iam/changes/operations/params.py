"""The parameters that a row of an operation keeps: typed, and checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Params:
    """Texts, and mappings of texts. `BLANK` are the fields that may be empty, such as an id that AWS is
    still to give."""

    BLANK: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if str(field.type).startswith("dict"):
                is_fit = isinstance(value, dict) and _are_texts(value)
            else:
                is_fit = isinstance(value, str) and bool(value or field.name in self.BLANK)
            if not is_fit:
                raise ValueError(f"{field.name} must be text, not {value!r}.")


def _are_texts(mapping: Mapping[object, object]) -> bool:
    return all(isinstance(part, str) for part in (*mapping, *mapping.values()))
