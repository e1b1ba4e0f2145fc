"""Typed parameters of operations as rows store them. They are checked when they are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, TypeAlias, dataclass_transform
from uuid import UUID

from iam.mirror.models import Entity, PolicyVersion

Blank: TypeAlias = str
"""A text that may be empty, such as an ID that AWS has not assigned yet."""
IdText: TypeAlias = str
"""The ID of a seal or a person, as text."""
YesNo: TypeAlias = str
"""YES or NO."""
YES: Final = "yes"
NO: Final = "no"


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Params:
    """Parameters: texts, and mappings of text to text. Subclasses become frozen dataclasses; the annotations
    of their fields, as written, say which values fit.
    """

    NAMES: ClassVar[Mapping[str, str]] = {}
    """How parameters identify the subject: the entity's attribute → the parameter."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True)(cls)

    @classmethod
    def names_of(cls, entity: Any) -> dict[str, str]:
        """The parameters that identify an entity of the mirror."""
        return {ours: getattr(entity, attribute) for attribute, ours in cls.NAMES.items()}

    @property
    def subject_names(self) -> dict[str, str]:
        """The parameters that identify the subject, with their values."""
        return {ours: getattr(self, ours) for ours in self.NAMES.values()}

    @classmethod
    def empty(cls) -> dict[str, Any]:
        """All parameters with empty values."""
        return as_stored({field.name: _EMPTY.get(str(field.type), "") for field in fields(cls)})

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not _FITS[str(field.type)](value):
                raise ValueError(f"{field.name} must be text, not {value!r}.")


@dataclass(frozen=True, slots=True)
class Recipient:
    """The only person who may read a secret."""

    person_id: UUID
    name: str


def as_stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert values to parameters: an entity of the mirror to its name, ID and ARN; a policy version to its
    ID and the digest of its text; a recipient to ID and name. None is left out.
    """
    stored: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, UUID):
            stored[name] = str(value)
        elif isinstance(value, bool):
            stored[name] = YES if value else NO
        elif isinstance(value, Entity):
            stored |= {f"{name}_name": value.name, f"{name}_id": value.aws_id, f"{name}_arn": value.arn}
        elif isinstance(value, PolicyVersion):
            stored |= {name: value.version_id, "digest": value.document_id}
        elif isinstance(value, Recipient):
            stored |= {"recipient_id": str(value.person_id), "recipient_name": value.name}
        elif value is not None:
            stored[name] = dict(value) if isinstance(value, Mapping) else value
    return stored


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_id(value: object) -> bool:
    """True for a UUID. Raises ValueError for any other text."""
    return isinstance(value, str) and bool(UUID(value))


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, (*value, *value.values())))


_EMPTY: Final[Mapping[str, Any]] = {"dict[str, str]": {}}
_FITS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "str": lambda value: _is_text(value) and value != "",
    "Blank": _is_text,
    "IdText": _is_id,
    "YesNo": lambda value: value in (YES, NO),
    "dict[str, str]": _are_texts,
}
"""A type as written in an annotation → the check of its values."""
