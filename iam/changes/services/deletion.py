"""Deletes an entity with everything that AWS requires to be removed first, as one set that can be undone as
far as possible.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.dependencies import dependencies_of
from iam.changes.operations.instance_profile import DeleteInstanceProfile
from iam.changes.operations.managed_policy import DeletePolicy
from iam.changes.operations.principals import DeleteGroup, DeleteRole, DeleteUser
from iam.changes.operations.service_linked_role import PATH, DeleteServiceLinkedRole
from iam.changes.operations.user_credential import credentials_row, owned
from iam.changes.services.plans import ChangePlan, plan_set
from iam.changes.services.requests import request_changes
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, valid_at

_DELETES: Final[dict[str, Callable[[Entity], Operation]]] = {
    Kind.USER: DeleteUser.of,
    Kind.GROUP: DeleteGroup.of,
    Kind.ROLE: DeleteRole.of,
    Kind.POLICY: DeletePolicy.of,
    Kind.INSTANCE_PROFILE: DeleteInstanceProfile.of,
}


def deletion_of(entity: Entity) -> list[Operation]:
    """All operations that delete a user, group, role, managed policy or instance profile: reversible ones
    first, the entity last.

    Raises RefusedError if it can't be deleted, or if the mirror does not know everything that must be removed
    first.
    """
    if entity.kind not in _DELETES:
        raise RefusedError(
            "Only users, groups, roles, managed policies and instance profiles are deleted so."
        )
    if f":role{PATH}" in entity.arn:
        return [DeleteServiceLinkedRole.of(entity)]
    if entity.kind == Kind.USER:
        _check_known(entity)
    if entity.kind == Kind.POLICY:
        _check_no_boundary(entity)
    return [*dependencies_of(entity), _DELETES[entity.kind](entity)]


def plan_deletion(viewer: Viewer, *, entity: Entity) -> list[ChangePlan]:
    """Plan to delete an entity with everything that must be removed first. Raises RefusedError."""
    return plan_set(deletion_of(entity), viewer=viewer)


def request_deletion(actor: Viewer, *, entity: Entity, reason: str, idempotency_key: str) -> list[Change]:
    """Plan and request the deletion. Raises RefusedError."""
    planned = plan_deletion(actor, entity=entity)
    title = planned[-1].operation.title if len(planned) > 1 else ""
    return request_changes(
        planned,
        actor=actor,
        reason=reason,
        idempotency_key=idempotency_key,
        title=title,
    )


def lost_for_good(operations: list[Operation]) -> list[str]:
    """What can't be restored after a deletion, each with the reason, to be shown before approval."""
    return [
        f"{operation.title}: {operation.irreversible}" for operation in operations if operation.irreversible
    ]


def _check_known(user: Entity) -> None:
    """Check that all keys and devices are known: AWS reports their number before their ids, and an unknown
    one can't be removed.
    """
    row = credentials_row(user)
    if row is None:
        return
    keys = len(owned(user, Kind.ACCESS_KEY))
    if row.keys > keys:
        raise RefusedError(
            f"AWS reports {row.keys} access keys of {user.name}, but Gatehouse knows the IDs of "
            f"{keys}. Sync the account, then submit again."
        )
    if row.mfa not in ("none", "unread") and not owned(user, Kind.MFA_DEVICE):
        raise RefusedError(
            f"AWS reports an MFA device of {user.name}, but Gatehouse doesn’t know which. Sync "
            "the account, then submit again."
        )


def _check_no_boundary(policy: Entity) -> None:
    """Check that the policy is no one's boundary, since its deletion would lift the limit as a side
    effect.
    """
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.BOUNDARY, target=policy)
    names = list(edges.order_by("source__name").values_list("source__name", flat=True))
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise RefusedError(
            f"{policy.name} is the permissions boundary of {', '.join(names[:3])}{more}. Give "
            "them another one first."
        )
