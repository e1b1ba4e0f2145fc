"""What AWS publishes of a service: its actions, resource types and condition keys.

Source: "Service Authorization Reference",
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class AccessLevel(StrEnum):
    """The access level of an action, as AWS writes it, in the order of pages.

    Source: "Access levels in policy summaries".
    """

    LIST = "List"
    READ = "Read"
    WRITE = "Write"
    PERMISSIONS = "Permissions management"
    TAGGING = "Tagging"


class KeyType(StrEnum):
    """What a condition key holds; a key of several values says so apart."""

    STRING = "String"
    ARN = "ARN"
    BOOL = "Bool"
    NUMERIC = "Numeric"
    DATE = "Date"
    IP = "IPAddress"


ARRAY: Final = "ArrayOf"


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """A condition key; a name may hold a placeholder, as `aws:PrincipalTag/${TagKey}` does."""

    name: str
    type: KeyType
    is_multivalued: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of resource. `arn` is AWS's pattern with placeholders; `condition_keys` work on any action on
    it.
    """

    name: str
    arn: str
    condition_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionTarget:
    """A resource type that an action takes. `is_required`: each request names one; keys and dependants are of
    this pair.
    """

    type: ResourceType
    is_required: bool
    condition_keys: tuple[str, ...] = ()
    dependent_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueAction:
    """An action. Without targets it works only on Resource `*`.

    `condition_keys` are all keys that AWS lists for it: its own, those of its targets, those of their
    resource types. Dependent actions are those that a caller needs besides; the data of 2026 lists none for
    any action.
    """

    name: str
    level: AccessLevel
    description: str
    targets: tuple[ActionTarget, ...]
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]
    is_deprecated: bool = False

    @property
    def resource_types(self) -> tuple[ResourceType, ...]:
        """The resource types that it takes."""
        return tuple(target.type for target in self.targets)


@dataclass(frozen=True, slots=True)
class CatalogueService:
    """A service by its prefix in actions. `actions`, `resource_types` and `condition_keys` are by their names
    in lower case.
    """

    prefix: str
    title: str
    supports_rcps: bool
    actions: dict[str, CatalogueAction]
    resource_types: dict[str, ResourceType]
    condition_keys: dict[str, ConditionKey]
