"""Splits resource names into fixed text and fields, by AWS's ARN formats. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from iam.policy.catalogue import ResourceType, catalogue
from iam.policy.catalogue.arn_fields import ACCOUNT, FIELD, PARTITION, REGION, SEGMENTS, pieces, values_of
from iam.policy.letter_case import fold

FREE: Final = "arn"
"""The single field of a row without a type: a whole ARN."""


@dataclass(frozen=True, slots=True)
class ArnPlace:
    """The default partition and account of ARNs."""

    account: str = "*"
    partition: str = "aws"


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """A named resource: its type ("" for any ARN as text) and field values."""

    type: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> list[Any]:
        """The JSON form."""
        return [self.type, dict(self.values)]


def pattern_of(service: str, kind: str) -> str:
    """The ARN format of a resource type with AWS's placeholders; "" if unknown."""
    known_service = catalogue().service(service)
    known = known_service.resource_types.get(fold(kind)) if known_service else None
    return known.arn if known else ""


def fields(pattern: str) -> tuple[str, ...]:
    """The fields to fill in: all except the partition."""
    return tuple(name for _, name in pieces(pattern) if name and name != PARTITION)


def arn_of(row: ResourceRow, *, service: str, place: ArnPlace) -> str:
    """The ARN of a row; "" if a field is empty or contains characters of the next segment."""
    if not row.type:
        return row.values.get(FREE, "").strip()
    arn, pattern = "", pattern_of(service, row.type)
    if not pattern:
        return ""
    for fixed, name in pieces(pattern):
        value = place.partition if name == PARTITION else row.values.get(name, "").strip()
        in_resource = (arn + fixed).count(":") >= SEGMENTS - 1
        if name and (not value or (":" in value and not in_resource)):
            return ""
        arn += fixed + value
    return arn


def blank(service: str, kind: str, *, place: ArnPlace) -> ResourceRow:
    """A new row of a type, with region and account filled in."""
    defaults = {ACCOUNT: place.account, REGION: "*"}
    return ResourceRow(kind, {name: defaults.get(name, "") for name in fields(pattern_of(service, kind))})


def row_of(arn: str, *, service: str, actions: Sequence[str] = ()) -> ResourceRow:
    """The row of an ARN, of the best-matching type; types that the actions work on are preferred. Text if no
    type fits.
    """
    known_service = catalogue().service(service)
    best_row = ResourceRow("", {FREE: arn})
    if known_service is None:
        return best_row
    best_rank: tuple[bool, int, int] | None = None
    types_of_actions = {kind.name for kind in _types_of(actions)}
    for kind in known_service.resource_types.values():
        values = _values(arn, kind)
        if values is None:
            continue
        fixed_text = FIELD.sub("", kind.arn)
        rank = (kind.name in types_of_actions, len(fixed_text), -len(values))
        if best_rank is None or rank > best_rank:
            best_rank = rank
            best_row = ResourceRow(kind.name, values)
    return best_row


def _values(arn: str, kind: ResourceType) -> dict[str, str] | None:
    values = values_of(arn, kind.arn)
    if values is None:
        return None
    return {name: value for name, value in values.items() if name != PARTITION}


def _types_of(actions: Iterable[str]) -> Iterator[ResourceType]:
    """The resource types of each action in turn."""
    for action in actions:
        yield from catalogue().resource_types(action)


def types_for(service: str, actions: Sequence[str]) -> tuple[ResourceType, ...]:
    """The resource types of the chosen actions, those of the service itself first, by name."""
    types_by_name = {kind.name: kind for kind in _types_of(actions)}
    own = f":{service}:"
    return tuple(sorted(types_by_name.values(), key=lambda kind: (own not in kind.arn, kind.name)))
