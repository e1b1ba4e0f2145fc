"""Groups actions by the types of resources they work on and by service-specific condition keys. This
determines what a probe must look like.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from iam.policy.catalogue import catalogue
from iam.policy.catalogue.source import read
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.overlap import Tokens
from iam.policy.letter_case import fold

PLACES: Final = re.compile(r"\$\{[^}]*\}")
WORD: Final = re.compile(r"[A-Za-z0-9+=.@_-]+")
PLACEHOLDER: Final = re.compile(r"\\\$\\\{[^}]*\\\}|<[^>]*>")


class ResourceKindSet(NamedTuple):
    """Actions that work on the same types of resources. `formats` are ARN formats; None means unknown, and
    empty means Resource `*` only.
    """

    mask: int
    formats: tuple[str, ...] | None
    never: frozenset[str] = frozenset()
    """The condition keys of the question that no request for these actions contains."""
    is_elsewhere: bool = False
    """True if none of the patterns of the question can match one of their resources."""


def sorts_of(
    space: ActionNumbering,
    mask: int,
    *,
    patterns: Iterable[Tokens],
    keys: frozenset[str],
    is_everywhere: bool = False,
) -> Iterator[ResourceKindSet]:
    """The actions of a set, by the resources they work on and by which of the lowercase `keys` they have.

    `is_everywhere`: True separates resources of all types, not only those that a pattern may match.
    """
    known = (1 << len(space.catalogue)) - 1
    for name in space.actions.names(mask & ~known):
        place = space.actions.index_of(name)
        if place is not None:
            yield ResourceKindSet(1 << place, None)
    mask &= known
    if not mask:
        return
    named = None if is_everywhere else _services_named(patterns)
    of_keys = {key.partition(":")[0] for key in keys}
    elsewhere = 0
    for prefix, part in _by_service(space, mask):
        is_met = (
            named is None or not named.isdisjoint(arn_services().get(prefix, {prefix})) or prefix in of_keys
        )
        if is_met:
            yield from _by_format(space, prefix, part, keys)
        else:
            elsewhere |= part
    alone = elsewhere & space.catalogue.mask_without_resources
    if alone:
        yield ResourceKindSet(alone, (), keys, is_elsewhere=True)
    if elsewhere & ~alone:
        yield ResourceKindSet(
            elsewhere & ~alone, formats_of(_first(space, elsewhere & ~alone)), keys, is_elsewhere=True
        )


def _by_service(space: ActionNumbering, mask: int) -> Iterator[tuple[str, int]]:
    """The actions in the mask, by service. Only visits services that have some, since most masks are of one
    service.
    """
    firsts, services = space.starts
    while mask:
        lowest = (mask & -mask).bit_length() - 1
        prefix, (first, size, _) = services[bisect_right(firsts, lowest) - 1]
        part = mask & ((1 << size) - 1) << first
        yield prefix, part
        mask ^= part


def _first(space: ActionNumbering, mask: int) -> str:
    return space.actions.names(mask & -mask)[0]


def formats_of(action: str) -> tuple[str, ...] | None:
    """AWS's ARN formats of the resources that an action works on; None for an action that AWS doesn't
    list.
    """
    known_action = catalogue().action(action)
    return (
        None
        if known_action is None
        else tuple(dict.fromkeys(resource_type.arn for resource_type in known_action.resource_types))
    )


def _services_named(patterns: Iterable[Tokens]) -> set[str] | None:
    """The services in the ARNs of some patterns; None if a pattern may match any service."""
    services: set[str] = set()
    for pattern in patterns:
        service = _head(pattern)
        if service is None:
            return None
        services.add(service)
    return services


def _head(pattern: Tokens) -> str | None:
    """The service segment of a pattern; "" if it can't be an ARN, None if the segment may contain a
    wildcard.
    """
    text, colons = "", 0
    for part in pattern:
        if len(part) > 1:
            if colons == 1 or colons >= 3:
                # A star in the partition leaves the service readable. After the service nothing matters.
                continue
            return None
        if part == ":":
            colons += 1
            if colons == 3:
                return text
        elif colons == 2:
            text += part
    return ""


@lru_cache(maxsize=1)
def arn_services() -> dict[str, set[str]]:
    """The services in the ARNs of each service's resources. Those of `apigateway` include `execute-api`."""
    return {
        fold(prefix): {
            resource_type["arn"].split(":")[2]
            for resource_type in read("resourceTypes", f"{prefix}.json").values()
        }
        for prefix in catalogue().prefixes
    }


@lru_cache(maxsize=512)
def words_of(service: str) -> frozenset[str]:
    """The fixed words in the ARN formats of a service's resources, such as `role` in `role/name`."""
    values_view: set[str] = set()
    for prefix, services in arn_services().items():
        types = read("resourceTypes", f"{prefix}.json").values() if service in services else ()
        for kind in types:
            segments = kind["arn"].split(":", 5)
            if segments[2] == service:
                values_view.update(WORD.findall(PLACES.sub("/", segments[-1])))
    return frozenset(values_view)


def _by_format(
    space: ActionNumbering, prefix: str, part: int, keys: frozenset[str]
) -> Iterator[ResourceKindSet]:
    of_service = frozenset(key for key in keys if key.partition(":")[0] == prefix)
    others = frozenset(key for key in keys - of_service if not key.startswith("aws:"))
    for mask, formats, missing in _table(space, prefix, of_service):
        if part & mask:
            yield ResourceKindSet(part & mask, formats, missing | others)


@lru_cache(maxsize=512)
def _table(
    space: ActionNumbering, prefix: str, keys: frozenset[str]
) -> tuple[tuple[int, tuple[str, ...], frozenset[str]], ...]:
    """The actions of a service, each group with its resource formats and the `keys` it doesn't have."""
    service = catalogue().service(prefix)
    if service is None:
        return ()
    masks: dict[tuple[tuple[str, ...], frozenset[str]], int] = {}
    for action in service.actions.values():
        place = catalogue().index_of(action.name)
        if place is None:
            continue
        formats = tuple(dict.fromkeys([resource_type.arn for resource_type in action.resource_types]))
        missing = frozenset([key for key in keys if not _has_key(action.condition_keys, key)])
        masks[formats, missing] = masks.get((formats, missing), 0) | 1 << place
    return tuple((mask, formats, missing) for (formats, missing), mask in masks.items())


def _has_key(names: Iterable[str], key: str) -> bool:
    for name in names:
        lowered = fold(name)
        if lowered == key or (PLACEHOLDER.search(re.escape(lowered)) and _like(lowered).fullmatch(key)):
            return True
    return False


@lru_cache(maxsize=1024)
def _like(name: str) -> re.Pattern[str]:
    return re.compile(PLACEHOLDER.sub(".+", re.escape(name)), re.DOTALL)
