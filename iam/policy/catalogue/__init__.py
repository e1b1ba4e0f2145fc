"""The services, actions, resource types and condition keys of AWS."""

from iam.policy.catalogue.records import Action, ConditionKey, KeyType, Level, ResourceType, Service, Target
from iam.policy.catalogue.reference import Catalogue, catalogue
from iam.policy.catalogue.space import ActionSpace

__all__ = [
    "Action",
    "ActionSpace",
    "Catalogue",
    "ConditionKey",
    "KeyType",
    "Level",
    "ResourceType",
    "Service",
    "Target",
    "catalogue",
]
