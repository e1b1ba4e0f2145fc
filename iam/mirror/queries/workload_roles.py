"""Finds what gives a role to workloads other than instances: Roles Anywhere profiles and pod identity
associations.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from iam.mirror.models import EdgeKind, Entity, EntityState, Kind, valid_at


class WorkloadTie(NamedTuple):
    """A profile or association at a time. `has_session_policy` means that a session policy limits its
    sessions.
    """

    kind: str
    name: str
    arn: str
    category: str
    attrs: Mapping[str, Any]
    has_session_policy: bool

    @property
    def is_profile(self) -> bool:
        """True if it is a Roles Anywhere profile."""
        return self.kind == Kind.ANYWHERE_PROFILE


def workloads_of(role: Entity, *, at: datetime | None) -> list[WorkloadTie]:
    """Return everything that gives the role, profiles first, by name, with one query."""
    edge = "entity__edges_out"
    rows = EntityState.objects.filter(
        valid_at(at),
        valid_at(at, prefix=f"{edge}__"),
        **{f"{edge}__target": role, f"{edge}__kind": EdgeKind.WORKLOAD_ROLE},
    )
    columns = ("kind", "name", "arn", "category", "attrs", "document_id")
    ties = []
    for kind, name, arn, category, attrs, document in rows.order_by("kind", "sort_name").values_list(
        *columns
    ):
        has_policy = document is not None or bool(attrs.get("ManagedPolicyArns"))
        ties.append(WorkloadTie(kind, name, arn, category, attrs, has_policy))
    return ties
