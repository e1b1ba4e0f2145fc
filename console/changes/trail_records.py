"""CloudTrail records of the calls of a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from console.activity.lines import event_address
from console.changes.presenters import CallRow, TrailRecord
from iam.activity.call_records import AnsweredCall, CallRecord, RecordState, records_of_calls
from iam.guard import Right, Viewer

SENTENCES: Final = {
    RecordState.PENDING: "CloudTrail hasn’t recorded it yet, which takes about 5 to 15 minutes.",
    RecordState.MISSING: "It isn’t among the known CloudTrail events of this account.",
    RecordState.NOT_READ: "No CloudTrail events of this time are known for this account.",
    RecordState.NOT_KEPT: "It can’t be matched with CloudTrail, since full records aren’t stored.",
}
ASKS_AGAIN: Final = "15s"
"""Polling interval for missing CloudTrail records; folders of trail files are read at the same interval."""


def record_pace(rows: Sequence[CallRow]) -> str:
    """Return the polling interval while records are missing, else ""."""
    is_pending = any(row.record is not None and row.record.is_pending for row in rows)
    return ASKS_AGAIN if is_pending else ""


def with_trail_records(rows: Sequence[CallRow], *, account_id: str, viewer: Viewer) -> list[CallRow]:
    """Return the calls, each answered one with its CloudTrail record. Takes at most two queries."""
    answered: list[AnsweredCall] = []
    for row in rows:
        if row.at is not None and row.request_id:
            answered.append(AnsweredCall(row.request_id, row.at))
    records = records_of_calls(account_id, answered)
    opens = viewer.may(Right.SEE_ACCOUNT, account_id=account_id)
    shown: list[CallRow] = []
    for row in rows:
        record = records.get(row.request_id)
        if record is not None:
            row = replace(row, record=_shown(record, opens=opens))
        shown.append(row)
    return shown


def _shown(record: CallRecord, *, opens: bool) -> TrailRecord:
    if record.event is None:
        return TrailRecord(SENTENCES[record.state], is_pending=record.state is RecordState.PENDING)
    url = event_address(record.event) if opens else ""
    return TrailRecord("Recorded by CloudTrail", event_id=str(record.event.event_id), url=url)
