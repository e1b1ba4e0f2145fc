"""What becomes of grants when somebody leaves: those that are for nobody else end, of the others only their
own part does.
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
    """The grants that live, or wait, by which a user holds something or comes in; two queries."""
    open_entries = LedgerEntry.objects.filter(Q(entity=user) | Q(holder_arn=user.arn), until__isnull=True)
    wanted = Q(pk__in=open_entries.values("part__grant")) | Q(terms__icontains=f'"{user.arn}"')
    return list(
        Grant.objects.filter(wanted, state__in=[GrantState.WAITING, *LIVING]).order_by("created_at", "pk")
    )


def is_for_them_alone(grant: Grant, arns: Collection[str]) -> bool:
    """Whether all that it is for are among these users."""
    receivers = set(grant.terms.get("who", {}).get("arns", ()))
    if not receivers:
        receivers = set(grant.parts.values_list("entries__holder_arn", flat=True)) - {None}
    return bool(receivers) and receivers <= set(arns)


def end_for_leaver(grant: Grant, *, reason: str) -> None:
    """End a grant whose receivers have left; nobody has to approve it again. What was never approved is
    called off. Harmless when repeated.
    """
    if grant.state == GrantState.WAITING:
        _call_off(grant, actor=None, over=False)
        settle(grant)
        return
    with suppress(RefusedError):
        # It has ended meanwhile.
        _end(grant, actor=None, reason=reason, act=GrantAct.ENDED)


def entries_of(user: Entity, grant: Grant) -> QuerySet[LedgerEntry]:
    """What a grant is a reason for that the user holds themselves."""
    own = Q(entity=user) | Q(holder_arn=user.arn)
    open_entries = LedgerEntry.objects.filter(own, part__grant=grant, until__isnull=True, since__isnull=False)
    return open_entries.select_related("account", "part__grant", "entity", "target_entity").order_by("pk")


def take_from_leaver(
    user: Entity, grant: Grant, *, with_set: ChangeSet, cause: SetCause, key: str, reason: str
) -> list[str]:
    """Take away what a grant gave to one who leaves, and leave it to the others; sentences on what cannot be
    taken. Harmless when repeated.
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
            # Another process has begun it.
            return []
        except RefusedError as refused:
            return [*removal.refused, refused.message]
    settle(grant)
    return removal.refused


def follow_takings(user: Entity, grants: Collection[UUID]) -> bool:
    """A reason is over when what takes its permission away was seen to have gone through; whether nothing of
    these grants is left to the user.
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
