"""Collects the trail of each change: request, approval, calls with AWS's request IDs, CloudTrail events, and
the confirmed result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from iam.activity.call_records import AnsweredCall, CallRecord, RecordState, records_of_calls
from iam.audit.evidence.tables import PackColumn, PackTable, Row
from iam.changes.models import Approval, Change, ChangeState
from iam.moments import second_words

BATCH: Final = 200
RECORDS: Final = {
    RecordState.RECORDED: "recorded",
    RecordState.PENDING: "not recorded yet",
    RecordState.MISSING: "not among the known events",
    RecordState.NOT_READ: "unknown: no events of this time were synced",
    RecordState.NOT_KEPT: "unknown: full records aren’t stored",
}
KEYS: Final = (
    "change",
    "title",
    "account",
    "account_name",
    "subject",
    "operation",
    "status",
    "requested_by",
    "requested_at",
    "reason",
    "approvals",
    "calls_in_words",
    "read_back",
    "ended_at",
    "id",
)
COLUMNS: Final = (
    PackColumn("change", "Change", 1.1, "mono"),
    PackColumn("title", "What", 2.2),
    PackColumn("requested", "Requested", 1.7),
    PackColumn("approvals", "Approved", 1.7),
    PackColumn("calls_in_words", "Calls to AWS and CloudTrail", 3),
    PackColumn("read_back", "Read back from AWS", 1.6),
)
APPROVALS: Final = Prefetch("change_set__approvals", queryset=Approval.objects.order_by("at", "id"))


def changes_table(changes: QuerySet[Change]) -> PackTable:
    """Every change of a period."""
    return PackTable(
        name="changes",
        title="Changes",
        note="Every change that was requested in the period: who requested and approved it, the calls with "
        "AWS’s request IDs, what CloudTrail recorded of them, and what AWS showed afterwards.",
        keys=KEYS,
        columns=COLUMNS,
        rows=lambda: change_rows(changes.order_by("created_at", "id")),
    )


def change_rows(changes: QuerySet[Change]) -> Iterator[Row]:
    """A row for each change, in the given order. Two queries per change that made calls."""
    wanted = changes.select_related("account", "change_set").prefetch_related(APPROVALS)
    for change in wanted.iterator(chunk_size=BATCH):
        yield _row(change, _records(change))


def rows_of(ids: Iterable[UUID], changes: QuerySet[Change]) -> Iterator[Row]:
    """The rows of the changes with these ids, in their order."""
    order = list(ids)
    by_id = {row["id"]: row for row in change_rows(changes.filter(pk__in=order))}
    for pk in order:
        if str(pk) in by_id:
            yield by_id[str(pk)]


def _records(change: Change) -> dict[str, CallRecord]:
    """The CloudTrail records by request ID.

    Changes are looked up one by one, because a query for a few minutes reads few events.
    """
    answered = []
    for call in change.calls:
        if call.get("request_id") and call.get("at"):
            answered.append(AnsweredCall(call["request_id"], datetime.fromisoformat(call["at"])))
    return records_of_calls(change.account.account_id, answered)


def _row(change: Change, records: dict[str, CallRecord]) -> Row:
    calls = [_call(call, records) for call in change.calls]
    requested_at = change.requested_at or change.created_at
    return {
        "id": str(change.id),
        "change": change.reference,
        "request": str(change.change_set_id),
        "title": change.title,
        "account": change.account.account_id,
        "account_name": change.account.name,
        "subject": change.subject_arn,
        "operation": change.operation,
        "status": change.get_state_display(),
        "requested_by": change.requested_label,
        "requested_at": requested_at,
        "requested": [change.requested_label, requested_at, change.reason],
        "reason": change.reason,
        "approvals": [_approval(approval) for approval in change.change_set.approvals.all()],
        "calls": calls,
        "calls_in_words": [_call_words(call) for call in calls],
        "read_back": _read_back(change),
        "before": change.before,
        "after": change.after,
        "queued_at": change.queued_at,
        "sent_at": change.sent_at,
        "ended_at": change.ended_at,
        "reads": change.reads,
    }


def _approval(approval: Approval) -> str:
    words = f"{approval.get_decision_display()} by {approval.approver_label} at {second_words(approval.at)}"
    if approval.is_own_request:
        words += " (own request, single operator)"
    return f"{words}: {approval.comment}" if approval.comment else words


def _call(call: dict[str, Any], records: dict[str, CallRecord]) -> Row:
    known = {
        "service": call.get("service", ""),
        "operation": call.get("operation", ""),
        "at": call.get("at"),
        "request_id": call.get("request_id", ""),
        "error": call.get("error", ""),
        "cloudtrail": None,
    }
    record = records.get(known["request_id"])
    if record is not None:
        known["cloudtrail"] = _event(record)
    return known


def _event(record: CallRecord) -> Row:
    event = record.event
    if event is None:
        return {"state": RECORDS[record.state]}
    return {
        "state": RECORDS[record.state],
        "event_id": str(event.event_id),
        "at": event.at,
        "action": f"{event.service}:{event.action}",
    }


def _call_words(call: Row) -> str:
    words = f"{call['service']}:{call['operation']}"
    if not call["at"]:
        return f"{words}, not sent"
    words += f", request {call['request_id'] or 'without an ID'}"
    if call["error"]:
        words += f", refused: {call['error']}"
    event = call["cloudtrail"]
    if event is None:
        return words
    if "event_id" in event:
        return f"{words}, CloudTrail event {event['event_id']} at {second_words(event['at'])}"
    return f"{words}, CloudTrail: {event['state']}"


def _read_back(change: Change) -> str:
    """Return what AWS showed after the calls, in words; "" for a change without a result."""
    ended = second_words(change.ended_at) if change.ended_at else "an unknown time"
    if change.already_so:
        return f"AWS was already as requested, seen at {ended}"
    if change.state == ChangeState.APPLIED:
        reads = f"{change.reads} reads" if change.reads != 1 else "1 read"
        return f"AWS showed it as requested after {reads}, at {ended}"
    if change.state in (ChangeState.FAILED, ChangeState.UNKNOWN):
        return f"{change.get_state_display()} at {ended}: {change.error_message}"
    return ""
