"""Builds reversals for relations of an entity: groups, policies, boundary, and the role of an instance
profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from iam.changes.drift.reversal import DriftReversal, moved_on_reversal
from iam.changes.operations import (
    ADD_TO_GROUP,
    ATTACH_POLICY,
    DETACH_POLICY,
    REMOVE_FROM_GROUP,
    Attachment,
    Membership,
    Operation,
)
from iam.changes.operations.boundary import DeleteBoundary, PutBoundary
from iam.changes.operations.instance_profile import ADD_ROLE, REMOVE_ROLE, RoleInProfile
from iam.mirror.models import Edge, EdgeKind, Entity, valid_at
from iam.mirror.queries.history_events import FactStep

Make = Callable[[Entity, Entity], Operation]
_WORDS = {
    EdgeKind.MEMBER: ("joined", "left"),
    EdgeKind.ATTACHED: ("got", "lost"),
    EdgeKind.BOUNDARY: ("is bounded by", "is no longer bounded by"),
    EdgeKind.PROFILE_ROLE: ("holds", "no longer holds"),
    EdgeKind.INSTANCE_PROFILE: ("uses", "no longer uses"),
    EdgeKind.WORKLOAD_ROLE: ("gives", "no longer gives"),
}


def _bound(entity: Entity, policy: Entity) -> Operation:
    return PutBoundary.of(entity, policy=policy)


def _unbound(entity: Entity, _: Entity) -> Operation:
    return DeleteBoundary.of(entity)


_TIES: dict[str, Make] = {
    EdgeKind.MEMBER: lambda user, group: Membership.of(ADD_TO_GROUP, user, group=group),
    EdgeKind.ATTACHED: lambda holder, policy: Attachment.of(ATTACH_POLICY, holder, policy=policy),
    EdgeKind.BOUNDARY: _bound,
    EdgeKind.PROFILE_ROLE: lambda profile, role: RoleInProfile.of(ADD_ROLE, profile, role=role),
}
_UNTIES: dict[str, Make] = {
    EdgeKind.MEMBER: lambda user, group: Membership.of(REMOVE_FROM_GROUP, user, group=group),
    EdgeKind.ATTACHED: lambda holder, policy: Attachment.of(DETACH_POLICY, holder, policy=policy),
    EdgeKind.BOUNDARY: _unbound,
    EdgeKind.PROFILE_ROLE: lambda profile, role: RoleInProfile.of(REMOVE_ROLE, profile, role=role),
}


def edge(step: FactStep, entity: Entity) -> Iterator[DriftReversal]:
    """The operations that revert one relation. For a replaced boundary or role, they restore the
    former one.
    """
    row: Edge = step.new or step.old
    what = f"{entity.name} {_WORDS[EdgeKind(row.kind)][0 if step.new else 1]} {row.target.name}"
    if step.new is not None and step.old is not None and step.old.target_id == step.new.target_id:
        return
    if _has_moved_on(step, entity):
        yield moved_on_reversal(what)
        return
    if step.old is not None and _is_gone(step.old.target):
        yield DriftReversal(what, why_not=f"{step.old.target.name} is gone from AWS.")
        return
    operations = tuple(_operations(step, entity))
    why_not = "" if operations else "Gatehouse can’t undo this."
    yield DriftReversal(what, operations, why_not=why_not)


def _operations(step: FactStep, entity: Entity) -> Iterator[Operation]:
    kind = (step.new or step.old).kind
    # A boundary is replaced by setting the former one.
    is_replaced_boundary = kind == EdgeKind.BOUNDARY and step.old
    if step.new is not None and kind in _UNTIES and not is_replaced_boundary:
        yield _UNTIES[kind](entity, step.new.target)
    if step.old is not None and kind in _TIES:
        yield _TIES[kind](entity, step.old.target)


def _has_moved_on(step: FactStep, entity: Entity) -> bool:
    """True if the new relation is gone again, or the removed one exists again.

    For a relation that can exist only once, any other one counts too.
    """
    if step.new is not None:
        return step.new.valid_to is not None
    same = Edge.objects.filter(valid_at(None), source=entity, kind=step.old.kind)
    single = step.old.kind in (EdgeKind.BOUNDARY, EdgeKind.PROFILE_ROLE)
    return same.exists() if single else same.filter(target=step.old.target_id).exists()


def _is_gone(other: Entity) -> bool:
    """True if the target no longer exists. AWS managed policies always exist, although the mirror has only
    those in use.
    """
    return other.gone_at is not None and ":iam::aws:" not in other.arn
