"""What gives a role to workloads without an instance: profiles of Roles Anywhere, and pod identity
associations.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from iam.mirror.models import EdgeKind, Entity, EntityState, Kind, valid_at


class WorkloadTie(NamedTuple):
    """A profile or an association as it was. `has_session_policy`: a policy limits its sessions."""

    kind: str
    name: str
    arn: str
    category: str
    attrs: Mapping[str, Any]
    has_session_policy: bool

    @property
    def is_profile(self) -> bool:
        """Whether it is a profile of Roles Anywhere."""
        return self.kind == Kind.ANYWHERE_PROFILE


def workloads_of(role: Entity, *, at: datetime | None) -> list[WorkloadTie]:
    """All that give the role, profiles first, by name: one query."""
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
