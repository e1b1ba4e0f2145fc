"""Writes calculated findings: only differences, with an event for each change of status, severity,
certainty or of what it affects.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from iam.audit.findings.affected import changes_of
from iam.audit.findings.identity import ComputedFinding, ComputedFindings
from iam.audit.findings.models import (
    AuditFinding,
    FindingCertainty,
    FindingEvent,
    FindingEventKind,
    FindingRun,
    FindingSeverity,
    FindingStatus,
)
from iam.audit.findings.read_rows import rows_read
from iam.batches import batches
from iam.mirror.models import Account

BATCH: Final = 500
Choice = FindingSeverity | FindingCertainty
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
    "stamp",
)
STATUS_FIELDS: Final = ("last_seen", "status", "changed_at", "closed_at", "unread_since", "accepted_until")


def keep(account: Account, computed: ComputedFindings, *, at: datetime) -> None:
    """Store the computed findings of an account.

    Findings of kinds and subjects that could not be judged remain, with `unread_since`. Only rows that differ
    are read whole and written; for the others, the account's run has the time they were last seen.
    """
    with transaction.atomic():
        stored = AuditFinding.objects.filter(account=account)
        is_seen = Q(unread_since=None) & ~Q(status=FindingStatus.FIXED)
        seen = dict(rows_read(stored.filter(is_seen).values_list("key", "stamp")))
        current = computed.findings
        differing = [key for key, stamp in seen.items() if key not in current or current[key].stamp != stamp]
        others = stored.exclude(is_seen).values_list("key", "kind", "subject", "status")
        known = set(seen)
        for key, kind, subject, status in others.iterator():
            known.add(key)
            is_gone = status != FindingStatus.FIXED and not is_unread(computed, key, kind, subject)
            if key in current or is_gone:
                differing.append(key)
        _open(account, [finding for key, finding in current.items() if key not in known], at)
        events: list[FindingEvent] = []
        if differing:
            # A finding that still exists was seen until the account's last calculation.
            runs = FindingRun.objects.filter(account=account)
            seen_at = runs.values_list("calculated_at", flat=True).first()
            _update(sorted(differing), computed, at, events, seen_at=seen_at)
        FindingEvent.objects.bulk_create(events, batch_size=BATCH)


def _open(account: Account, findings: list[ComputedFinding], at: datetime) -> None:
    """Store new findings in batches: a first calculation creates tens of thousands of rows."""
    for batch in batches(findings, BATCH):
        rows = [_new(account, finding, at) for finding in batch]
        AuditFinding.objects.bulk_create(rows)
        FindingEvent.objects.bulk_create([_event(row, FindingEventKind.OPENED, at) for row in rows])


def _update(
    keys: list[str],
    computed: ComputedFindings,
    at: datetime,
    events: list[FindingEvent],
    *,
    seen_at: datetime | None,
) -> None:
    """Update rows; what changed is added to the events."""
    for batch in batches(keys, BATCH):
        rows = list(AuditFinding.objects.filter(key__in=batch))
        for row in rows:
            current = computed.findings.get(row.key)
            if current is not None:
                _see(row, current, at, events)
            else:
                if row.status != FindingStatus.FIXED and not row.unread_since and seen_at:
                    row.last_seen = max(row.last_seen, seen_at)
                _miss(row, computed, at, events)
        AuditFinding.objects.bulk_update(rows, [*FIELDS_TO_UPDATE, *STATUS_FIELDS])


def is_unread(computed: ComputedFindings, key: str, kind: str, subject: str) -> bool:
    """True if a missing finding could not be judged."""
    is_subject_unread = (kind, subject) in computed.unread_subjects
    return kind in computed.unread or is_subject_unread or key in computed.unread_keys


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


def _see(row: AuditFinding, current: ComputedFinding, at: datetime, events: list[FindingEvent]) -> None:
    """Update a finding that still exists, and reopen it if it was fixed."""
    values = current.values
    if row.status == FindingStatus.FIXED:
        row.status, row.changed_at, row.closed_at = FindingStatus.OPEN, at, None
        events.append(_event(row, FindingEventKind.REOPENED, at))
    else:
        changes = _changes(row, values, at)
        if changes:
            row.changed_at = at
            events += changes
    for name in FIELDS:
        setattr(row, name, values[name])
    row.unread_since, row.last_seen = None, at


def _changes(row: AuditFinding, values: Mapping[str, Any], at: datetime) -> list[FindingEvent]:
    """The events of what changed about a finding that was not fixed: severity, certainty, what it affects."""
    events: list[FindingEvent] = []
    if row.severity != values["severity"]:
        severities = (FindingSeverity(row.severity), FindingSeverity(values["severity"]))
        events.append(_event(row, FindingEventKind.SEVERITY, at, _from_to(*severities)))
    if row.certainty != values["certainty"]:
        certainties = (FindingCertainty(row.certainty), FindingCertainty(values["certainty"]))
        events.append(_event(row, FindingEventKind.CERTAINTY, at, _from_to(*certainties)))
    for change in changes_of(row, values):
        event = _event(row, change.kind, at)
        event.names, event.number = change.names, change.number
        events.append(event)
    return events


def _from_to(before: Choice, after: Choice) -> str:
    return f"From {before.label.lower()} to {after.label.lower()}"


def _miss(row: AuditFinding, computed: ComputedFindings, at: datetime, events: list[FindingEvent]) -> None:
    """Mark a missing finding as fixed or unknown."""
    if is_unread(computed, row.key, row.kind, row.subject):
        row.unread_since = row.unread_since or at
        return
    row.status, row.changed_at, row.closed_at = FindingStatus.FIXED, at, at
    row.unread_since = row.accepted_until = None
    events.append(_event(row, FindingEventKind.FIXED, at))


def end_acceptances(now: datetime) -> int:
    """Reopen findings whose acceptance has expired. Returns their number."""
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
