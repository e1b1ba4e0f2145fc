"""Updates the ledger when the end of a grant is undone and its permissions exist again."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import QuerySet

from iam.access.grants.models import ENDING, Grant, GrantAct, GrantPart, GrantState, LedgerEntry
from iam.access.grants.services.requests import record_act
from iam.access.grants.verify import is_in_mirror
from iam.changes.models import Change
from iam.mirror.models import Entity


def given_again(undoing: Change) -> QuerySet[GrantPart]:
    """Begin new ledger entries for permissions that an applied undo restored, and reopen the part.
    Idempotent.

    The earlier entries stay unchanged. The end date stays too: if it has passed, the grant ends again.
    Returns the affected parts, for `settle`.
    """
    taken = undoing.reverts
    if taken is None or taken.change_set.cause_kind != ENDING:
        return GrantPart.objects.none()
    parts = GrantPart.objects.filter(grant=taken.change_set.cause_id, lane=taken.lane)
    for part in parts.filter(
        state__in=[GrantState.ENDED, GrantState.ENDING, GrantState.ACTIVE, GrantState.PARTLY]
    ):
        _reopen(part, undoing)
    return parts


def _reopen(part: GrantPart, undoing: Change) -> None:
    ended = part.entries.filter(since__isnull=False, until__isnull=False, ended_by__isnull=False)
    rows = ended.select_related("entity", "target_entity", "change", "account").order_by("pk")
    # A permission that was given and removed several times is restored from its newest entry.
    newest = {(row.holder_arn, row.sort, row.target): row for row in rows}
    began = [_again(row, undoing) for row in newest.values() if is_in_mirror(_current_entity(row))]
    if not any(began) or part.state not in (GrantState.ENDED, GrantState.ENDING):
        return
    part.state = GrantState.ACTIVE
    part.ending_set = None
    part.ended_at = None
    part.trouble = ""
    part.save(update_fields=["state", "ending_set", "ended_at", "trouble"])
    grant = Grant.objects.select_for_update().get(pk=part.grant_id)
    last_act = grant.versions.order_by("-number").values_list("act", flat=True).first()
    if last_act != GrantAct.RETURNED:
        record_act(grant, act=GrantAct.RETURNED, actor=None, reason=undoing.reason)


def _current_entity(entry: LedgerEntry) -> LedgerEntry:
    """Point the entry to the recreated entities, because an undo creates them with new unique ids."""
    for name, arn in (("entity", entry.holder_arn), ("target_entity", entry.target)):
        known = getattr(entry, name)
        if known is None or known.gone_at is None:
            continue
        entities = Entity.objects.filter(account=entry.account_id, arn=arn, gone_at__isnull=True)
        setattr(entry, name, entities.first() or known)
    return entry


def _again(entry: LedgerEntry, undoing: Change) -> bool:
    """Create a new entry for the same permission. Returns False if one is already open."""
    _, made = LedgerEntry.objects.get_or_create(
        part_id=entry.part_id,
        account_id=entry.account_id,
        holder_arn=entry.holder_arn,
        sort=entry.sort,
        target=entry.target,
        until=None,
        defaults={
            "entity": entry.entity,
            "target_entity": entry.target_entity,
            "change": entry.change,
            "stood_before": entry.stood_before,
            "since": undoing.ended_at or datetime.now(tz=UTC),
        },
    )
    return made
