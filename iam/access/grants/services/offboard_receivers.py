"""Ends grants when a person is offboarded: grants for nobody else end completely, others lose only that
person's share.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from iam.access.grants.models import LIVING, Grant, GrantAct, GrantState, LedgerEntry
from iam.access.grants.services.expiry import _call_off, _end
from iam.access.grants.services.reconcile import settle
from iam.access.grants.services.revoke import removal_of
from iam.changes.errors import RefusedError
from iam.changes.models import ChangeSet, ChangeState
from iam.changes.services import SetCause, SetLane
from iam.changes.services.accepted_changes import queue_accepted
from iam.mirror.models import Entity


def grants_to(user: Entity) -> list[Grant]:
    """Waiting and active grants that give a user permissions or a role to assume. Two queries."""
    open_entries = LedgerEntry.objects.filter(Q(entity=user) | Q(holder_arn=user.arn), until__isnull=True)
    wanted = Q(pk__in=open_entries.values("part__grant")) | Q(terms__icontains=f'"{user.arn}"')
    return list(
        Grant.objects.filter(wanted, state__in=[GrantState.WAITING, *LIVING]).order_by("created_at", "pk")
    )


def is_for_them_alone(grant: Grant, arns: Collection[str]) -> bool:
    """True if all recipients of the grant are among these ARNs."""
    receivers = set(grant.terms.get("who", {}).get("arns", ()))
    if not receivers:
        receivers = set(grant.parts.values_list("entries__holder_arn", flat=True)) - {None}
    return bool(receivers) and receivers <= set(arns)


def end_for_leaver(grant: Grant, *, reason: str) -> None:
    """End a grant whose recipients have all left, without approval; a waiting request is cancelled.
    Idempotent.
    """
    if grant.state == GrantState.WAITING:
        _call_off(grant, actor=None, over=False)
        settle(grant)
        return
    with suppress(RefusedError):
        # It ended in the meantime.
        _end(grant, actor=None, reason=reason, act=GrantAct.ENDED)


def entries_of(user: Entity, grant: Grant) -> QuerySet[LedgerEntry]:
    """The open ledger entries of a grant that the user holds directly."""
    own = Q(entity=user) | Q(holder_arn=user.arn)
    open_entries = LedgerEntry.objects.filter(own, part__grant=grant, until__isnull=True, since__isnull=False)
    return open_entries.select_related("account", "part__grant", "entity", "target_entity").order_by("pk")


def take_from_leaver(
    user: Entity, grant: Grant, *, with_set: ChangeSet, cause: SetCause, key: str, reason: str
) -> list[str]:
    """Remove from one leaver what a grant gave; other recipients keep it. Idempotent.

    Returns sentences on what can't be removed.
    """
    removal = removal_of(list(entries_of(user, grant)))
    now = datetime.now(tz=UTC)
    LedgerEntry.objects.filter(pk__in=removal.over, until__isnull=True).update(until=now)
    if removal.operations:
        try:
            with transaction.atomic():
                changes = queue_accepted(
                    removal.operations,
                    with_set=with_set,
                    actor=None,
                    reason=reason,
                    title=f"Out of {grant.reference}: {grant.title}",
                    cause=cause,
                    key=key,
                    lanes=[SetLane(0, branch) for branch in removal.branches],
                )
                for entry, place in removal.taken_by.items():
                    LedgerEntry.objects.filter(pk=entry).update(ended_by=changes[place])
        except IntegrityError:
            # Another process queued it.
            return []
        except RefusedError as refused:
            return [*removal.refused, refused.message]
    settle(grant)
    return removal.refused


def follow_takings(user: Entity, grants: Collection[UUID]) -> bool:
    """End ledger entries whose removal was confirmed. Returns True if the user has nothing left of these
    grants.
    """
    own = Q(entity=user) | Q(holder_arn=user.arn)
    open_entries = LedgerEntry.objects.filter(
        own, part__grant__in=grants, until__isnull=True, since__isnull=False
    )
    for entry in open_entries.filter(ended_by__state=ChangeState.APPLIED).select_related(
        "ended_by", "part__grant"
    ):
        assert entry.ended_by is not None
        LedgerEntry.objects.filter(pk=entry.pk, until__isnull=True).update(until=entry.ended_by.ended_at)
        settle(entry.part.grant)
    return not open_entries.exists()
