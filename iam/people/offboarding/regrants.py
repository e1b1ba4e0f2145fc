"""Grants again what had ended with an offboarding and was restored, so that the ledger has a reason and an
end for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from django.db.models import Q

from iam.access.grants.models import ENDING, Grant, LedgerEntry, PermissionSort
from iam.changes.models import Change, ChangeState
from iam.mirror.models import Edge, EdgeKind, InlinePolicy, valid_at
from iam.people.blueprint_grants import BlueprintGrant, HeldPermission, HoldingReason, write_grant
from iam.people.offboarding.models import EndedGrant, OffboardedUser

GRANT_NAMESPACE: Final = UUID("0d0a9a3e-53c9-4b0c-b7f1-1f3f0b6f0a7d")
"""The namespace for the id of the new grant, derived from a seat and the former grant."""
_EDGES: Final = {PermissionSort.MEMBER: EdgeKind.MEMBER, PermissionSort.ATTACHED: EdgeKind.ATTACHED}


def grant_again(seat: OffboardedUser, *, by: Sequence[Change]) -> None:
    """Write a new grant for each that ended with them, hasn't expired, and has a permission that AWS shows
    again. It is safe to run again.
    """
    applied = [
        change
        for change in by
        if change.state == ChangeState.APPLIED and change.account_id == seat.account_id
    ]
    if not applied:
        return
    now = datetime.now(tz=UTC)
    ended = (
        EndedGrant.objects.filter(seat=seat).exclude(grant__in=_given_again(applied)).select_related("grant")
    )
    for ended_grant in ended.filter(Q(grant__ends_at__isnull=True) | Q(grant__ends_at__gt=now)):
        own = Q(entity=seat.user) | Q(holder_arn=seat.user_arn)
        entries = LedgerEntry.objects.filter(
            own, part__grant=ended_grant.grant, account=seat.account, until__isnull=False, since__isnull=False
        )
        standing = [entry for entry in entries.order_by("pk") if _is_in_mirror(seat, entry)]
        grant_id = uuid5(GRANT_NAMESPACE, f"{seat.pk}:{ended_grant.grant_id}")
        if standing:
            _write(seat, ended_grant.grant, standing, grant_id=grant_id, by=applied)


def _given_again(by: Sequence[Change]) -> set[UUID]:
    """Return the grants whose end these changes revert. They are active again and need no new grant."""
    undone = Change.objects.filter(
        pk__in=[change.reverts_id for change in by if change.reverts_id], change_set__cause_kind=ENDING
    )
    return {pk for pk in undone.values_list("change_set__cause_id", flat=True) if pk}


def _is_in_mirror(seat: OffboardedUser, entry: LedgerEntry) -> bool:
    """Return True if the mirror shows the permission, after the restore was synced."""
    sort = PermissionSort(entry.sort)
    if sort in _EDGES:
        edges = Edge.objects.filter(valid_at(None), kind=_EDGES[sort], source=seat.user)
        return edges.filter(target__arn=entry.target).exists()
    if sort == PermissionSort.INLINE:
        return InlinePolicy.objects.filter(valid_at(None), owner=seat.user, name=entry.target).exists()
    return False


def _write(
    seat: OffboardedUser,
    former: Grant,
    entries: Sequence[LedgerEntry],
    *,
    grant_id: UUID,
    by: Sequence[Change],
) -> None:
    why = (
        f"Restores {former.reference}, which ended when {seat.leaver.name} was offboarded "
        f"({seat.leaver.run.reference})."
    )
    who = {"kind": "users", "arns": [seat.user_arn]}
    own = {"who": who, "accounts": [seat.account.account_id], "why": why}
    way = former.parts.filter(account=seat.account).values_list("way", flat=True).first() or ""
    permissions = [
        HeldPermission(entry.sort, entry.target, _giving(entry, by), seat.user, entry.target_entity_id)
        for entry in entries
    ]
    reason = HoldingReason(
        key="leaving-again",
        why=why,
        requested_by=by[0].requested_by,
        requested_label=by[0].requested_label,
        since=by[0].queued_at,
        until=former.ends_at,
        written=former.planned_end,
        sentence=why,
    )
    terms = {**former.terms, **own}
    by_run = BlueprintGrant(seat.account, seat.user_arn, former.title, terms, way, by[0], permissions)
    write_grant(grant_id, by_run, reason=reason)


def _giving(entry: LedgerEntry, by: Sequence[Change]) -> Change:
    """Return the change that restored the permission, or the first one if none did specifically."""
    names = ("group_arn", "policy_arn", "policy_name")
    return next(
        (change for change in by if entry.target in [change.params.get(name) for name in names]), by[0]
    )
