"""Warnings for sentences about a policy that deserve attention. Without side effects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iam.policy.applicability import can_be_of_any_service
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.sentences.labels import level_of, service_name
from iam.policy.sentences.places import EVERYTHING, join

RISKY: Final = frozenset(
    {
        "iam:PassRole",
        "sts:AssumeRole",
        "iam:CreateAccessKey",
        "iam:CreatePolicyVersion",
        "lambda:AddPermission",
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
    }
)
MAX_NAMES: Final = 3


def warning_for(
    service: str, actions: Sequence[str], resources: Sequence[str], *, has_conditions: bool
) -> str:
    """Return a warning, or an empty string. `actions` are names in the catalogue, or `*` for all."""
    if EVERYTHING in actions:
        if can_be_of_any_service(resources):
            return "Allows everything, IAM included."
        return "Allows every action on these resources."
    if any(level_of(action) is AccessLevel.PERMISSIONS for action in actions):
        return "Manages permissions: this can give access to others."
    risky = [action for action in actions if action in RISKY]
    if risky:
        return f"{join(risky, most=MAX_NAMES)} can give more access than it seems."
    if EVERYTHING in resources and not has_conditions and _changes_resources(actions):
        return f"Can change every resource in {service_name(service)}."
    return ""


def _changes_resources(actions: Sequence[str]) -> bool:
    known = catalogue()
    return any(
        level_of(action) is AccessLevel.WRITE and not known.mask(action) & known.mask_without_resources
        for action in actions
    )
