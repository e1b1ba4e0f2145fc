"""The name of a resource in parts: fixed text and fields, by the ARN that AWS gives its type. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from iam.policy.catalogue import ResourceType, catalogue

FIELD: Final = re.compile(r"\$\{([^}]*)\}")
FREE: Final = "arn"
"""The one field of a row without a type: a whole ARN."""
PARTITION, ACCOUNT, REGION = "Partition", "Account", "Region"
SEGMENTS: Final = 6
LONGEST: Final = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is granted: what stands in an ARN for partition and account until somebody writes something else."""

    account: str = "*"
    partition: str = "aws"


@dataclass(frozen=True, slots=True)
class Row:
    """A resource that is named: its type ("" for any ARN as text) and what stands in the fields."""

    type: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> list[Any]:
        """As JSON."""
        return [self.type, dict(self.values)]


def pattern_of(service: str, kind: str) -> str:
    """The ARN of a resource type with AWS's placeholders; "" where there is none such."""
    found = catalogue().service(service)
    known = found.resource_types.get(kind.lower()) if found else None
    return known.arn if known else ""


@lru_cache(maxsize=2048)
def pieces(pattern: str) -> tuple[tuple[str, str], ...]:
    """(fixed text, the field that follows it) of a pattern; the last field is "" where text ends it."""
    found, at = [], 0
    for match in FIELD.finditer(pattern):
        found.append((pattern[at : match.start()], match[1]))
        at = match.end()
    return (*found, (pattern[at:], "")) if at < len(pattern) else tuple(found)


def fields(pattern: str) -> tuple[str, ...]:
    """The fields that somebody fills in: all but the partition."""
    return tuple(name for _, name in pieces(pattern) if name and name != PARTITION)


def arn_of(row: Row, *, service: str, place: Place) -> str:
    """The ARN that a row says; "" while a field is empty, or holds what belongs to the next segment."""
    if not row.type:
        return row.values.get(FREE, "").strip()
    found, pattern = "", pattern_of(service, row.type)
    if not pattern:
        return ""
    for fixed, name in pieces(pattern):
        value = place.partition if name == PARTITION else row.values.get(name, "").strip()
        in_resource = (found + fixed).count(":") >= SEGMENTS - 1
        if name and (not value or (":" in value and not in_resource)):
            return ""
        found += fixed + value
    return found


def blank(service: str, kind: str, *, place: Place) -> Row:
    """A row of a type to fill in: region and account are there already."""
    given = {ACCOUNT: place.account, REGION: "*"}
    return Row(kind, {name: given.get(name, "") for name in fields(pattern_of(service, kind))})


def row_of(arn: str, *, service: str, actions: Sequence[str] = ()) -> Row:
    """The row of an ARN, of the type that fits it best; those that the actions work on come first. As text where none does."""
    found = catalogue().service(service)
    best: tuple[tuple[bool, int, int], Row] | None = None
    taken = {one.name for action in actions for one in catalogue().resource_types(action)}
    for kind in found.resource_types.values() if found else ():
        values = _values(arn, kind)
        if values is not None:
            rank = (kind.name in taken, len(FIELD.sub("", kind.arn)), -len(values))
            if best is None or rank > best[0]:
                best = (rank, Row(kind.name, values))
    return best[1] if best else Row("", {FREE: arn})


def _values(arn: str, kind: ResourceType) -> dict[str, str] | None:
    match = _reader(kind.arn).fullmatch(arn[:LONGEST])
    if match is None or any(not value for value in match.groups()):
        return None
    names = [name for _, name in pieces(kind.arn) if name]
    pairs = list(zip(names, match.groups(), strict=True))
    found = dict(pairs)
    if any(found[name] != value for name, value in pairs):
        return None
    return {name: value for name, value in found.items() if name != PARTITION}


@lru_cache(maxsize=2048)
def _reader(pattern: str) -> re.Pattern[str]:
    """Fields of a segment end at its colon; in the resource, all but the last end at the next fixed text and hold no slash."""
    parts, before = pieces(pattern), ""
    text = ""
    names = [name for _, name in parts if name]
    for number, (fixed, name) in enumerate(parts):
        before += fixed
        text += re.escape(fixed)
        if not name:
            continue
        is_last = number == len(parts) - 1
        in_resource = before.count(":") >= SEGMENTS - 1
        text += "([^:]*)" if not in_resource else "(.*)" if is_last and len(names) > 1 else "([^:/]*)"
    return re.compile(text, re.DOTALL)


def types_for(service: str, actions: Sequence[str]) -> tuple[ResourceType, ...]:
    """The resource types that chosen actions work on, those of the service itself first, by name."""
    found = {one.name: one for action in actions for one in catalogue().resource_types(action)}
    own = f":{service}:"
    return tuple(sorted(found.values(), key=lambda one: (own not in one.arn, one.name)))
