"""The services, actions, resource types and condition keys of AWS."""

from iam.policy.catalogue.records import (
    Action,
    ActionTarget,
    ConditionKey,
    KeyType,
    Level,
    ResourceType,
    Service,
)
from iam.policy.catalogue.reference import Catalogue, catalogue
from iam.policy.catalogue.space import ActionSpace

__all__ = [
    "Action",
    "ActionSpace",
    "ActionTarget",
    "Catalogue",
    "ConditionKey",
    "KeyType",
    "Level",
    "ResourceType",
    "Service",
    "catalogue",
]
