"""The catalogue: every service, action, resource type and condition key that AWS publishes, by name.

The names of the actions are loaded at once (milliseconds), everything else per service on demand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, cached_property, lru_cache

from iam.policy.catalogue import pack, source
from iam.policy.catalogue.global_keys import GLOBAL_KEYS
from iam.policy.catalogue.names import ActionNames
from iam.policy.catalogue.records import (
    AccessLevel,
    CatalogueAction,
    CatalogueService,
    ConditionKey,
    ResourceType,
)
from iam.policy.letter_case import fold

MAX_KEY_LENGTH = 512
"""Maximum length of a condition key. IAM's tag keys have at most 128 characters."""
PLACEHOLDER = re.compile(r"\\\$\\\{[^}]*\\\}|<[^>]*>")


def _mask(bits: Sequence[bool]) -> int:
    """Return the number with these bits, the lowest first."""
    return int("".join("01"[bit] for bit in reversed(bits)), 2)


class AwsCatalogue(ActionNames):
    """What AWS publishes: the names of all actions, and everything about them. It is immutable; lookups
    ignore case and return names as AWS writes them.
    """

    def __init__(self, names: Sequence[str], letters: str, version: str) -> None:
        super().__init__(names)
        self.version = version
        self._letters = letters
        self._services: dict[str, CatalogueService] = {}
        self._arns: dict[str, dict[str, str]] = {}
        self._level_masks: dict[AccessLevel, int] = {}

    def listed(self, mask: int) -> int:
        """Return the actions of a set that AWS lists. Counts of actions use these; names found only in
        policies are listed separately.
        """
        return mask & (1 << len(self)) - 1

    def mask_of_service(self, prefix: str) -> int:
        """Return all actions of a service."""
        return self.mask(f"{prefix}:*")

    def mask_of_level(self, level: AccessLevel) -> int:
        """Return all actions of an access level."""
        mask = self._level_masks.get(level)
        if mask is None:
            letter = pack.LETTERS[level]
            has_level = [letter_of_action == letter for letter_of_action in fold(self._letters)]
            mask = self._level_masks[level] = _mask(has_level)
        return mask

    @cached_property
    def mask_of_reads(self) -> int:
        """All actions of the levels List and Read."""
        return self.mask_of_level(AccessLevel.LIST) | self.mask_of_level(AccessLevel.READ)

    @cached_property
    def mask_without_resources(self) -> int:
        """The actions that work only on Resource `*`."""
        return _mask([letter.isupper() for letter in self._letters])

    def level(self, action: str) -> AccessLevel | None:
        """Return the access level, or None for an unknown action."""
        place = self.index_of(action)
        return None if place is None else pack.LEVELS[fold(self._letters[place])]

    @cached_property
    def prefixes(self) -> tuple[str, ...]:
        """The prefixes of all services, sorted."""
        return tuple(self._titles)

    @cached_property
    def rcp_services(self) -> frozenset[str]:
        """The services whose resources RCPs restrict."""
        return frozenset(source.read("rcpSupportedServices.json"))

    @cached_property
    def _titles(self) -> Mapping[str, str]:
        titles = source.read("serviceNames.json")
        return {prefix: titles.get(prefix, prefix) for prefix in source.prefixes()}

    def has_service(self, prefix: str) -> bool:
        """Return True if actions have this prefix. It only loads the service's name."""
        return fold(prefix) in self._titles

    def title(self, prefix: str) -> str:
        """Return the title of a service, or the prefix itself if it is unknown."""
        return self._titles.get(fold(prefix), prefix)

    def service(self, prefix: str) -> CatalogueService | None:
        """Return everything about a service, or None for an unknown one. It is loaded once (a millisecond or
        two) and cached.
        """
        lowered = fold(prefix)
        if lowered not in self._titles:
            return None
        known_service = self._services.get(lowered)
        if known_service is None:
            known_service = source.service(
                lowered, title=self._titles[lowered], supports_rcps=lowered in self.rcp_services
            )
            self._services[lowered] = known_service
        return known_service

    def resource_arn(self, prefix: str, type_name: str) -> str | None:
        """Return AWS's ARN format of a resource type, or None for an unknown one. It loads less than
        `service`.
        """
        lowered = fold(prefix)
        if lowered not in self._titles:
            return None
        known = self._services.get(lowered)
        if known is not None:
            resource_type = known.resource_types.get(fold(type_name))
            return None if resource_type is None else resource_type.arn
        arns = self._arns.get(lowered)
        if arns is None:
            arns = self._arns[lowered] = source.resource_arns(lowered)
        return arns.get(fold(type_name))

    def action(self, name: str) -> CatalogueAction | None:
        """Return everything about an action such as `s3:GetObject`, or None for an unknown one."""
        prefix, _, rest = fold(name).partition(":")
        service = self.service(prefix)
        return None if service is None else service.actions.get(rest)

    def resource_types(self, action: str) -> tuple[ResourceType, ...]:
        """Return the resource types of an action. It is empty for an action that works only on `*` and for an
        unknown one.
        """
        known_action = self.action(action)
        return () if known_action is None else known_action.resource_types

    def condition_keys(self, action: str) -> tuple[str, ...]:
        """Return the condition keys that AWS lists for an action, without the global keys that every request
        has.
        """
        known_action = self.action(action)
        return () if known_action is None else known_action.condition_keys

    def condition_key(self, name: str) -> ConditionKey | None:
        """Return a condition key, global or of its prefix's service, or None. Values are accepted in place of
        placeholders.
        """
        if len(name) > MAX_KEY_LENGTH:
            return None
        lowered = fold(name)
        condition_key = GLOBAL_KEYS.get(lowered) or _fitting(lowered, "", GLOBAL_KEYS)
        if condition_key is not None:
            return condition_key
        for prefix in (lowered.partition(":")[0], "sts"):
            service = self.service(prefix)
            if service is not None:
                condition_key = service.condition_keys.get(lowered) or _fitting(
                    lowered, prefix, service.condition_keys
                )
                if condition_key is not None:
                    return condition_key
        return None


def _fitting(lowered: str, prefix: str, keys: Mapping[str, ConditionKey]) -> ConditionKey | None:
    for pattern, key in _patterns(prefix, tuple(key for key in keys if "${" in key or "<" in key)):
        if pattern.fullmatch(lowered):
            return keys[key]
    return None


@lru_cache(maxsize=512)
def _patterns(prefix: str, keys: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(PLACEHOLDER.sub(".+", re.escape(key)), re.DOTALL), key) for key in keys)


@cache
def catalogue() -> AwsCatalogue:
    """Return the catalogue of the installed data, one per process."""
    version, letters, names = pack.load()
    return AwsCatalogue(names, letters, version)
