"""Finds all reasons for one permission, across grants and renames, and restores what another grant still
needs.
"""

from __future__ import annotations

from typing import Final

from django.db import IntegrityError
from django.db.models import Q, QuerySet

from iam.access.grants.models import GIVING, GrantPart, GrantState, LedgerEntry, PermissionSort
from iam.changes.errors import RefusedError
from iam.changes.models import RUNNING, ChangeState
from iam.changes.operations import restore
from iam.changes.services import SetCause
from iam.changes.services.accepted_changes import queue_accepted

KEEPING: Final = "grant-keep"
"""The cause kind of a change set that restores a permission that the end of another grant removed."""


def same_permission(entry: LedgerEntry) -> QuerySet[LedgerEntry]:
    """The ledger entries, of any grant, for the same permission, including this one.

    Matches entities rather than names, so that an entity that reuses a name is not the same.
    """
    entries = LedgerEntry.objects.filter(account=entry.account_id, sort=entry.sort)
    holder, target = Q(holder_arn=entry.holder_arn), Q(target=entry.target)
    if entry.entity_id:
        holder = Q(entity=entry.entity_id) | holder & Q(entity__isnull=True)
    if entry.target_entity_id:
        target = Q(target_entity=entry.target_entity_id) | target & Q(target_entity__isnull=True)
    return entries.filter(holder, target)


def other_reasons(entry: LedgerEntry) -> QuerySet[LedgerEntry]:
    """The entries of other grants that give access now and are reasons for the same permission."""
    others = same_permission(entry).filter(
        part__state__in=[*GIVING, GrantState.APPLYING], since__isnull=False, until__isnull=True
    )
    return others.exclude(part__grant=entry.part.grant_id)


def has_coming_reason(entry: LedgerEntry) -> bool:
    """True if another grant is about to give the same permission or has just done so, so that it must not be
    removed now.
    """
    coming = same_permission(entry).filter(since__isnull=True, until__isnull=True)
    running = coming.filter(change__state__in=[*RUNNING, ChangeState.APPLIED])
    return running.exclude(part__grant=entry.part.grant_id).exclude(part__state=GrantState.ENDING).exists()


def give_back(entry: LedgerEntry) -> None:
    """Restore a membership or attachment that the end of this entry removed, if a newer grant found it in
    place and needs it.
    """
    if entry.sort not in (PermissionSort.MEMBER, PermissionSort.ATTACHED):
        return
    other = other_reasons(entry).filter(since__lte=entry.until).select_related("change", "part").first()
    if other is None or other.change is None:
        return
    part = GrantPart.objects.select_related("grant", "change_set").get(pk=other.part_id)
    change = other.change
    try:
        queue_accepted(
            [restore(change.operation, account=change.account, params=change.params)],
            with_set=part.change_set,
            actor=None,
            reason=f"The end of {entry.part.grant.reference} removed it, and {part.grant.reference} needs it "
            "too.",
            title=f"Still needed by {part.grant.reference}: {part.grant.title}",
            cause=SetCause(KEEPING, part.grant_id),
            key=f"grant-keep-{entry.pk}",
            for_grant=True,
        )
    except IntegrityError:
        # Already queued.
        return
    except RefusedError as refused:
        GrantPart.objects.filter(pk=part.pk).update(trouble=refused.message[:1024])
