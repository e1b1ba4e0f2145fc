"""The data that AWS publishes about a service: its actions, resource types and condition keys.

Source: "Service Authorization Reference",
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class AccessLevel(StrEnum):
    """The access level of an action, as AWS writes it, in the order of pages. Source: "Access levels in
    policy summaries".
    """

    LIST = "List"
    READ = "Read"
    WRITE = "Write"
    PERMISSIONS = "Permissions management"
    TAGGING = "Tagging"


class KeyType(StrEnum):
    """The type of a condition key's values. Whether it is multivalued is stored separately."""

    STRING = "String"
    ARN = "ARN"
    BOOL = "Bool"
    NUMERIC = "Numeric"
    DATE = "Date"
    IP = "IPAddress"


ARRAY: Final = "ArrayOf"


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """A condition key. Its name can contain a placeholder, such as `aws:PrincipalTag/${TagKey}`."""

    name: str
    type: KeyType
    is_multivalued: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type. `arn` is AWS's format with placeholders; `condition_keys` apply to any
    action on it.
    """

    name: str
    arn: str
    condition_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionTarget:
    """A resource type of an action. `is_required` means that each request names one. Condition keys and
    dependent actions are those of this pair.
    """

    type: ResourceType
    is_required: bool
    condition_keys: tuple[str, ...] = ()
    dependent_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueAction:
    """An action. Without targets it works only on Resource `*`.

    `condition_keys` are all keys that AWS lists for it: its own, those of its targets, those of their
    resource types. Dependent actions are those that a caller also needs; the data of 2026 lists none for any
    action.
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
        """The resource types of its targets."""
        return tuple(target.type for target in self.targets)


@dataclass(frozen=True, slots=True)
class CatalogueService:
    """A service, by its prefix in actions. `actions`, `resource_types` and `condition_keys` are by name in
    lower case.
    """

    prefix: str
    title: str
    supports_rcps: bool
    actions: dict[str, CatalogueAction]
    resource_types: dict[str, ResourceType]
    condition_keys: dict[str, ConditionKey]
