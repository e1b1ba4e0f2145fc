"""Workloads outside EC2 that use a role: IAM Roles Anywhere certificates and pods of EKS clusters."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from console.identities.details import labels
from console.identities.details.frame import ShownEntity
from console.web.known_facts import none_or_unknown
from iam.mirror.pull.sections import LABELS, POD_IDENTITIES, ROLES_ANYWHERE
from iam.mirror.queries.workload_roles import WorkloadTie, workloads_of


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """A row of the card."""

    name: str
    icon: str
    details: str
    arn: str


def workload_facts(shown: ShownEntity, unsynced: Collection[str]) -> dict[str, Any]:
    """Return the card of a role's page: what uses the role, that nothing does, or what wasn’t synced."""
    ties = workloads_of(shown.entity, at=shown.at)
    needs = (ROLES_ANYWHERE, POD_IDENTITIES)
    return {
        "workloads": [_row(tie, shown.entity.arn) for tie in ties],
        "no_workloads": none_or_unknown(
            "No Roles Anywhere profile and no pod identity association gives this role.",
            needs=needs,
            unsynced=unsynced,
        ),
        "workloads_unsynced": [LABELS[section] for section in needs if ties and section in unsynced],
    }


def _row(tie: WorkloadTie, role: str) -> WorkloadRow:
    words = _profile_words(tie) if tie.is_profile else _association_words(tie, role)
    icon = "key-round" if tie.is_profile else "boxes"
    return WorkloadRow(tie.name, icon, ", ".join(words), tie.arn)


def _profile_words(tie: WorkloadTie) -> Iterator[str]:
    yield f"Roles Anywhere profile in {tie.attrs.get('Region')}"
    if tie.category != "enabled":
        yield "disabled"
    session = labels.session_words(tie.attrs.get("DurationSeconds"))
    if session:
        yield f"sessions up to {session}"
    yield "limited by a session policy" if tie.has_session_policy else "no session policy"


def _association_words(tie: WorkloadTie, role: str) -> Iterator[str]:
    yield f"EKS pod identity association in {tie.attrs.get('Region')}"
    target = str(tie.attrs.get("TargetRoleArn") or "")
    if target and target != role:
        yield f"used to assume {target.rpartition('/')[2]}"
    elif target:
        yield f"assumed with {str(tie.attrs.get('RoleArn')).rpartition('/')[2]}"
    if tie.has_session_policy:
        yield "limited by a session policy"
