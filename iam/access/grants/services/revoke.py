"""Builds the operations that remove permissions of the ledger, based on the mirror; none if they are already
gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from iam.access.grants.models import LedgerEntry, PermissionSort
from iam.access.grants.services.ledger_reasons import has_coming_reason, other_reasons
from iam.access.grants.trust_statement import closed, sids_of, users_of
from iam.changes.errors import RefusedError
from iam.changes.models import LAST_BRANCH
from iam.changes.operations import (
    DETACH_POLICY,
    REMOVE_FROM_GROUP,
    Attachment,
    DeleteInlinePolicy,
    Membership,
    Operation,
)
from iam.changes.operations.managed_policy import DeletePolicy
from iam.changes.operations.principals import ReplaceTrustPolicy
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.services.deletion import deletion_of
from iam.changes.services.plans import examine
from iam.mirror.models import Edge, EdgeKind, Entity, EntityState, InlinePolicy, valid_at

ORDER: Final = (
    PermissionSort.TRUST,
    PermissionSort.MEMBER,
    PermissionSort.ATTACHED,
    PermissionSort.INLINE,
    PermissionSort.ROLE,
    PermissionSort.POLICY,
)
"""The order of removal: first the way in, then held permissions, then created resources."""
MADE: Final = frozenset({PermissionSort.ROLE, PermissionSort.POLICY})
"""Created resources, which can be deleted only when nothing uses them any more."""


@dataclass
class RevokeSteps:
    """The removal of a part's permissions: operations, and the branch of each.

    `taken_by` maps an entry to the position of the operation that removes it. `over` are entries that need no
    operation. `refused` are sentences on entries that can't be removed now.
    """

    operations: list[Operation] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)
    taken_by: dict[int, int] = field(default_factory=dict)
    over: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def add(self, entry: LedgerEntry, operations: Sequence[Operation], *, branch: int) -> None:
        """Add operations, checked against the mirror and all earlier operations. A refused entry does not
        affect the others.
        """
        removals: list[Operation] = []
        try:
            for operation in operations:
                examine(operation, earlier=[*self.operations, *removals])
                removals.append(operation)
        except RefusedError as refused:
            self.refused.append(refused.message)
            return
        self.operations += removals
        self.branches += [branch] * len(removals)
        self.taken_by[entry.pk] = len(self.operations) - 1


def removal_of(entries: Sequence[LedgerEntry]) -> RevokeSteps:
    """The removal of permissions that have no other reason: a branch per holder, created resources last."""
    removal = RevokeSteps()
    going = [entry for entry in entries if not (entry.stood_before or other_reasons(entry).exists())]
    removal.over = [entry.pk for entry in entries if entry not in going]
    going = _without_coming(going, removal)
    roles = {entry.holder_arn: entry for entry in going if entry.sort == PermissionSort.ROLE}
    # Deleting a role removes everything that it holds, also what somebody else added.
    within = [entry for entry in going if entry.holder_arn in roles and entry.sort != PermissionSort.ROLE]
    branches: dict[str, int] = {}
    for entry in sorted(going, key=lambda entry: (ORDER.index(PermissionSort(entry.sort)), entry.pk)):
        if entry in within:
            continue
        branch = (
            LAST_BRANCH if entry.sort in MADE else branches.setdefault(entry.holder_arn, len(branches) + 1)
        )
        _revoke_entry(removal, entry, going, branch=branch)
    for entry in within:
        place = removal.taken_by.get(roles[entry.holder_arn].pk)
        if place is not None:
            removal.taken_by[entry.pk] = place
        elif roles[entry.holder_arn].pk in removal.over:
            removal.over.append(entry.pk)
    return removal


def _revoke_entry(
    removal: RevokeSteps, entry: LedgerEntry, going: Sequence[LedgerEntry], *, branch: int
) -> None:
    try:
        operations = list(_taking(entry, going))
    except RefusedError as refused:
        removal.refused.append(refused.message)
        return
    if operations:
        removal.add(entry, operations, branch=branch)
    else:
        removal.over.append(entry.pk)


def _without_coming(going: list[LedgerEntry], removal: RevokeSteps) -> list[LedgerEntry]:
    """Leave out permissions that another grant is about to give; created resources then wait too."""
    waiting = [entry.pk for entry in going if has_coming_reason(entry)]
    if not waiting:
        return going
    removal.refused.append("Another grant that gives the same is being set up; this one ends right after it.")
    return [entry for entry in going if entry.pk not in waiting and entry.sort not in MADE]


def _taking(entry: LedgerEntry, going: Sequence[LedgerEntry]) -> Iterator[Operation]:
    """The operations for one entry, in order; none if the permission is gone or has to stay."""
    holder = _current_target(entry, entry.entity, entry.holder_arn)
    if holder is None:
        return
    if entry.sort == PermissionSort.MEMBER:
        yield from _membership(entry, holder)
    elif entry.sort == PermissionSort.ATTACHED:
        yield from _attachment(entry, holder)
    elif entry.sort == PermissionSort.INLINE:
        yield from _inline(entry, holder)
    elif entry.sort == PermissionSort.TRUST:
        yield from _trust(entry, holder)
    elif entry.sort == PermissionSort.ROLE:
        yield from deletion_of(holder)
    elif not _is_held_by_others(holder, going):
        yield DeletePolicy.of(holder)


def _is_held_by_others(policy: Entity, going: Sequence[LedgerEntry]) -> bool:
    """True if something outside these entries uses the policy, which is then kept."""
    losing = {
        entry.holder_arn
        for entry in going
        if entry.sort == PermissionSort.ATTACHED and entry.target == policy.arn
    }
    kinds = [EdgeKind.ATTACHED, EdgeKind.BOUNDARY]
    edges = Edge.objects.filter(valid_at(None), kind__in=kinds, target=policy)
    return edges.exclude(source__arn__in=losing).exists()


def _current_target(entry: LedgerEntry, known: Entity | None, arn: str) -> Entity | None:
    """The entity that the entry means, also after a rename; None if it is gone, even if another has its name
    now.
    """
    living = Entity.objects.filter(account=entry.account_id, gone_at__isnull=True).select_related("account")
    return (living.filter(pk=known.pk) if known else living.filter(arn=arn)).first()


def _tied(kind: EdgeKind, source: Entity, target: Entity) -> bool:
    return Edge.objects.filter(valid_at(None), kind=kind, source=source, target=target).exists()


def _membership(entry: LedgerEntry, user: Entity) -> Iterator[Operation]:
    group = _current_target(entry, entry.target_entity, entry.target)
    if group is not None and _tied(EdgeKind.MEMBER, user, group):
        yield Membership.of(REMOVE_FROM_GROUP, user, group=group)


def _attachment(entry: LedgerEntry, holder: Entity) -> Iterator[Operation]:
    policy = _current_target(entry, entry.target_entity, entry.target)
    if policy is not None and _tied(EdgeKind.ATTACHED, holder, policy):
        yield Attachment.of(DETACH_POLICY, holder, policy=policy)


def _inline(entry: LedgerEntry, holder: Entity) -> Iterator[Operation]:
    if InlinePolicy.objects.filter(valid_at(None), owner=holder, name=entry.target).exists():
        yield DeleteInlinePolicy.of(holder, policy_name=entry.target)


def _trust(entry: LedgerEntry, role: Entity) -> Iterator[Operation]:
    state = EntityState.objects.filter(valid_at(None), entity=role).select_related("document").first()
    text = state.document.text if state and state.document else ""
    if not text or entry.target not in sids_of(text):
        return
    left = closed(text, sid=entry.target)
    if left is None:
        raise RefusedError(
            f"{role.name} would trust no one, which AWS doesn’t allow. Delete the role, or add another "
            "principal first."
        )
    yield ReplaceTrustPolicy.of(role, document=left)
    now = datetime.now(tz=UTC)
    for name in users_of(text, sid=entry.target):
        yield RevokeSessions.of_session_name(role, session_name=name, at=now)
