"""The services, actions, resource types and condition keys of AWS."""

from iam.policy.catalogue.records import (
    AccessLevel,
    ActionTarget,
    CatalogueAction,
    CatalogueService,
    ConditionKey,
    KeyType,
    ResourceType,
)
from iam.policy.catalogue.reference import AwsCatalogue, catalogue
from iam.policy.catalogue.space import ActionSpace

__all__ = [
    "AccessLevel",
    "ActionSpace",
    "ActionTarget",
    "AwsCatalogue",
    "CatalogueAction",
    "CatalogueService",
    "ConditionKey",
    "KeyType",
    "ResourceType",
    "catalogue",
]
