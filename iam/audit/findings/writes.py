"""Writes what was calculated: only what differs, with a line of history for each change of status."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from iam.audit.findings.identity import Computed, ComputedFinding
from iam.audit.findings.models import (
    AuditFinding,
    FindingEvent,
    FindingEventKind,
    FindingStatus,
)
from iam.mirror.models import Account

BATCH: Final = 500
FIELDS: Final = (
    "entity_id",
    "subject",
    "name",
    "severity",
    "certainty",
    "reasons",
    "evidence",
    "related",
    "affected",
    "fix",
    "search",
    "place",
)
STATUS_FIELDS: Final = ("status", "changed_at", "closed_at", "unread_since", "accepted_until", "last_seen")


def keep(account: Account, computed: Computed, *, at: datetime) -> None:
    """Make the findings of an account what was computed. Those of kinds and subjects that could not be read
    stay, with the moment since when.
    """
    with transaction.atomic():
        stored = {row.key: row for row in AuditFinding.objects.filter(account=account)}
        events: list[FindingEvent] = []
        new = [_new(account, current, at) for key, current in computed.findings.items() if key not in stored]
        AuditFinding.objects.bulk_create(new, batch_size=BATCH)
        events += [_event(row, FindingEventKind.OPENED, at) for row in new]
        changed: list[AuditFinding] = []
        for row in stored.values():
            current = computed.findings.get(row.key)
            if current is not None:
                is_changed = _see(row, current, at, events)
            elif row.status != FindingStatus.FIXED:
                is_changed = _miss(row, computed, at, events)
            else:
                is_changed = False
            if is_changed:
                changed.append(row)
        AuditFinding.objects.bulk_update(changed, [*FIELDS_TO_UPDATE, *STATUS_FIELDS], batch_size=BATCH)
        FindingEvent.objects.bulk_create(events, batch_size=BATCH)
        seen = [key for key in computed.findings if key in stored]
        for start in range(0, len(seen), BATCH):
            AuditFinding.objects.filter(key__in=seen[start : start + BATCH]).update(last_seen=at)


FIELDS_TO_UPDATE: Final = tuple(name.removesuffix("_id") for name in FIELDS)


def _new(account: Account, current: ComputedFinding, at: datetime) -> AuditFinding:
    return AuditFinding(
        key=current.key,
        account=account,
        first_seen=at,
        last_seen=at,
        changed_at=at,
        **current.values,
    )


def _event(row: AuditFinding, kind: FindingEventKind, at: datetime, reason: str = "") -> FindingEvent:
    return FindingEvent(finding=row, at=at, kind=kind, reason=reason)


def _see(row: AuditFinding, current: ComputedFinding, at: datetime, events: list[FindingEvent]) -> bool:
    """It is there: bring its facts up to date, and open it again if it was fixed. Whether something
    changed.
    """
    is_changed = any(getattr(row, name) != current.values[name] for name in FIELDS)
    for name in FIELDS:
        setattr(row, name, current.values[name])
    if row.status == FindingStatus.FIXED:
        row.status, row.changed_at, row.closed_at = FindingStatus.OPEN, at, None
        events.append(_event(row, FindingEventKind.REOPENED, at))
        is_changed = True
    if row.unread_since is not None:
        row.unread_since = None
        is_changed = True
    row.last_seen = at
    return is_changed


def _miss(row: AuditFinding, computed: Computed, at: datetime, events: list[FindingEvent]) -> bool:
    """It is not there: fixed, or not known."""
    if row.kind in computed.unread or (row.kind, row.subject) in computed.unread_subjects:
        if row.unread_since is not None:
            return False
        row.unread_since = at
        return True
    row.status, row.changed_at, row.closed_at = FindingStatus.FIXED, at, at
    row.unread_since = row.accepted_until = None
    events.append(_event(row, FindingEventKind.FIXED, at))
    return True


def end_acceptances(now: datetime) -> int:
    """Open the findings again whose acceptance has ended; how many there were."""
    ended = list(
        AuditFinding.objects.filter(
            Q(accepted_until__lte=now), accepted_until__isnull=False, status=FindingStatus.ACCEPTED
        )
    )
    count = 0
    for row in ended:
        with transaction.atomic():
            changed = AuditFinding.objects.filter(
                pk=row.pk, status=FindingStatus.ACCEPTED, accepted_until__lte=now
            ).update(status=FindingStatus.OPEN, accepted_until=None, changed_at=now)
            if changed:
                FindingEvent.objects.create(finding=row, at=now, kind=FindingEventKind.ENDED)
                count += 1
    return count
