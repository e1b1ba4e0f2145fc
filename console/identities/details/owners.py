"""The owner of a machine user or role, for its page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from console.identities.details.frame import ShownEntity
from iam.linking.known_owners import leavers_tagged, may_name_owner, owners_known


def owner_facts(shown: ShownEntity) -> dict[str, Any]:
    """Return the current owner, and where the viewer can set it; {} for a past moment."""
    if shown.at is not None:
        return {}
    entity = shown.entity
    can_set = may_name_owner(shown.viewer, entity)
    return {
        "owner_known": owners_known([entity.pk]).get(entity.pk),
        "owner_left": leavers_tagged(entity),
        "owner_url": reverse("linking:named-owner", args=[entity.pk]) if can_set else "",
    }
