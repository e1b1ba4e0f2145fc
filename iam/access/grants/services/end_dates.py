"""Moves the end date of a grant: in waiting changes, at approval, and in policies that exist in AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from iam.access.grants.documents import stamp, with_new_end
from iam.access.grants.models import Grant, GrantAct, GrantPart, GrantState, LedgerEntry, PermissionSort
from iam.access.grants.phrases import duration
from iam.access.grants.services.requests import record_act
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.changes.operations import Operation, PutInlinePolicy, restore
from iam.changes.operations.policy_version import CreatePolicyVersion
from iam.changes.operations.principals import ReplaceTrustPolicy
from iam.guard import Viewer
from iam.mirror.models import Account, Entity, EntityState, InlinePolicy, PolicyVersion, valid_at
from iam.moments import moment_words

ENDS: Final = "Access ends"
"""How the note on the end date begins, which approvers read."""
FORMER_ENDS: Final = "It ends"
"""How that note began in earlier versions; waiting requests may still have it."""


def started(change: Change, at: datetime) -> dict[str, Any]:
    """Update a change at approval: a grant with a duration ends that long after this time.

    Returns the changed columns; empty if the end date stays.
    """
    cause = change.change_set.cause_id
    grant = Grant.objects.select_for_update().filter(pk=cause).first() if cause else None
    if grant is None or grant.planned_end is None or not grant.agreed.lasts:
        return {}
    if grant.begins_at is None:
        grant.begins_at = at
        grant.ends_at = grant.agreed.end_when(begun=at)
        grant.save(update_fields=["begins_at", "ends_at"])
    assert grant.ends_at is not None
    return columns(change, old=grant.planned_end, new=grant.ends_at)


def columns(change: Change, *, old: datetime, new: datetime) -> dict[str, Any]:
    """The columns of a change that contain the end date, with the new one."""
    params = _with_moved_end(change.params, old, new)
    operation = restore(change.operation, account=change.account, params=params)
    return {
        "params": params,
        "after": operation.desired_state(),
        "calls": _with_moved_end(change.calls, old, new),
    }


def _with_moved_end(value: Any, old: datetime, new: datetime) -> Any:
    """Replace the time stamp in nested JSON as text. Neither JSON nor JSON within strings escapes any of its
    characters.
    """
    return json.loads(json.dumps(value).replace(stamp(old), stamp(new)))


def end_of(grant_id: UUID) -> datetime | None:
    """The end date of the grant; None if permanent."""
    return Grant.objects.filter(pk=grant_id).values_list("ends_at", flat=True).first()


def ends_of(grants: Sequence[UUID]) -> dict[UUID, datetime]:
    """The end dates of these grants, without the permanent ones. One query."""
    ending = Grant.objects.filter(pk__in=grants, ends_at__isnull=False)
    return {pk: end for pk, end in ending.values_list("pk", "ends_at") if end}


def lasts_of(grants: Sequence[UUID]) -> dict[UUID, str]:
    """The durations, in words, of grants that have not begun and whose end date is set at approval. One
    query.
    """
    waiting = Grant.objects.filter(pk__in=grants, begins_at__isnull=True)
    lasting = ((pk, int(terms.get("lasts") or 0)) for pk, terms in waiting.values_list("pk", "terms"))
    return {pk: f"for {duration(seconds)} after approval" for pk, seconds in lasting if seconds}


def shorten_waiting(grant_id: UUID, until: datetime, actor: Viewer) -> None:
    """Bring the end date of a waiting grant forward. Raises RefusedError."""
    grant = Grant.objects.select_for_update().filter(pk=grant_id).first()
    if grant is None or grant.state != GrantState.WAITING or grant.planned_end is None:
        raise RefusedError(
            "Only a grant that is waiting for approval and has an end date can be shortened here."
        )
    until = until.astimezone(UTC).replace(microsecond=0)
    if until < datetime.now(tz=UTC) + timedelta(minutes=5):
        raise RefusedError("The end must be at least five minutes away.")
    if until >= grant.planned_end:
        raise RefusedError("A later end needs a new request.")
    sets = grant.parts.values("change_set")
    waiting = Change.objects.filter(change_set__in=sets, state=ChangeState.AWAITING)
    for change in waiting.select_related("account"):
        Change.objects.filter(pk=change.pk, state=ChangeState.AWAITING).update(
            **columns(change, old=grant.planned_end, new=until)
        )
    for group in ChangeSet.objects.filter(pk__in=sets):
        kept = [note for note in group.notes if not note.startswith((ENDS, FORMER_ENDS))]
        ChangeSet.objects.filter(pk=group.pk).update(notes=[*kept, f"{ENDS} on {moment_words(until)}."])
    set_end(grant, until)
    grant.planned_end = until
    grant.save(update_fields=["planned_end"])
    record_act(grant, act=GrantAct.SHORTENED, actor=actor, reason="")


def set_end(grant: Grant, until: datetime) -> None:
    """Set the end date in the terms and reset the warning, so that people are warned of the new date."""
    grant.terms = {**grant.terms, "until": until.isoformat(), "lasts": 0}
    grant.ends_at, grant.warned_for = until, None
    grant.save(update_fields=["terms", "ends_at", "warned_for"])


def moving(part: GrantPart, *, old: datetime, new: datetime) -> Iterator[tuple[Account, Operation]]:
    """The operations, with their accounts, that write a new end date into what exists in AWS.

    Yields nothing for permissions that carry no end date themselves.
    """
    entries = (
        part.entries.filter(until__isnull=True, since__isnull=False).select_related("account").order_by("pk")
    )
    for entry in entries:
        operation = _of_entry(entry, old, new)
        if operation is not None and operation.state_in_mirror() is not None:
            yield entry.account, operation


def _of_entry(entry: LedgerEntry, old: datetime, new: datetime) -> Operation | None:
    living = Entity.objects.filter(account=entry.account, gone_at__isnull=True)
    holder = living.filter(pk=entry.entity_id) if entry.entity_id else living.filter(arn=entry.holder_arn)
    holder_entity = holder.select_related("account").first()
    if holder_entity is None or entry.stood_before:
        return None
    if entry.sort == PermissionSort.POLICY:
        return _policy(holder_entity, old, new)
    if entry.sort == PermissionSort.INLINE:
        return _inline(holder_entity, entry.target, old, new)
    if entry.sort in (PermissionSort.TRUST, PermissionSort.ROLE):
        return _trust(holder_entity, old, new)
    return None


def _policy(policy: Entity, old: datetime, new: datetime) -> Operation | None:
    rows = PolicyVersion.objects.filter(valid_at(None), policy=policy, is_default=True)
    text = rows.values_list("document__text", flat=True).first()
    return CreatePolicyVersion.of(policy, text=with_new_end(text, old=old, new=new)) if text else None


def _inline(holder: Entity, name: str, old: datetime, new: datetime) -> Operation | None:
    rows = InlinePolicy.objects.filter(valid_at(None), owner=holder, name=name)
    text = rows.values_list("document__text", flat=True).first()
    return PutInlinePolicy.of(holder, name=name, text=with_new_end(text, old=old, new=new)) if text else None


def _trust(role: Entity, old: datetime, new: datetime) -> Operation | None:
    state = EntityState.objects.filter(valid_at(None), entity=role).select_related("document").first()
    if state is None or state.document is None:
        return None
    return ReplaceTrustPolicy.of(role, document=with_new_end(state.document.text, old=old, new=new))
