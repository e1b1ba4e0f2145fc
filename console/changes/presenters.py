"""Presents changes: status badges, timelines, and calls with their equivalents for other tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from console.web.moments import time_text
from iam.changes.models import Change, ChangeEvent, ChangeState
from iam.changes.set_state import SetState
from iam.changes.shown_calls import ShownCall, shown_calls
from iam.mirror.models import Account, Document
from iam.mirror.queries.entities import OpenableEntities


@dataclass(frozen=True, slots=True)
class StateMark:
    """A badge: text, tone, icon."""

    text: str
    tone: str
    icon: str


MARKS: dict[str, StateMark] = {
    ChangeState.DRAFT: StateMark("Draft", "", "pencil"),
    ChangeState.AWAITING: StateMark("Waiting for approval", "note", "hourglass"),
    ChangeState.QUEUED: StateMark("In progress", "info", "clock"),
    ChangeState.APPLYING: StateMark("In progress", "info", "loader-circle"),
    ChangeState.CONFIRMING: StateMark("In progress", "info", "eye"),
    ChangeState.APPLIED: StateMark("Done", "ok", "check"),
    ChangeState.FAILED: StateMark("Failed", "bad", "x"),
    ChangeState.UNKNOWN: StateMark("Unknown", "warn", "circle-help"),
    ChangeState.REJECTED: StateMark("Rejected", "bad", "ban"),
    ChangeState.CANCELLED: StateMark("Withdrawn", "", "undo-2"),
    ChangeState.EXPIRED: StateMark("Expired", "", "timer"),
}

SET_MARKS: dict[str, StateMark] = {
    SetState.WAITING: MARKS[ChangeState.AWAITING],
    SetState.IN_PROGRESS: MARKS[ChangeState.APPLYING],
    SetState.DONE: MARKS[ChangeState.APPLIED],
    SetState.FAILED: MARKS[ChangeState.FAILED],
    SetState.UNKNOWN: MARKS[ChangeState.UNKNOWN],
    SetState.REJECTED: MARKS[ChangeState.REJECTED],
    SetState.WITHDRAWN: MARKS[ChangeState.CANCELLED],
    SetState.EXPIRED: MARKS[ChangeState.EXPIRED],
}
"""Badge of each status of a whole request."""

_LINES: dict[str, tuple[str, str, str]] = {
    "requested": ("{actor} requested this", "file-text", ""),
    "receipt_changed": ("The receipt changed", "eye", "warn"),
    "approved": ("{actor} approved", "check", "ok"),
    "approved_alone": ("{actor} approved their own request", "triangle-alert", "warn"),
    "accepted": ("No approval of its own needed", "check", "ok"),
    "agreed": ("{actor} approved", "check", "ok"),
    "approvals_void": ("Approvals no longer count", "rotate-cw", "warn"),
    "commented": ("{actor} commented", "message-square", ""),
    "reminded": ("Reminder sent", "bell", ""),
    "escalated": ("No answer in time: escalated", "bell", "warn"),
    "shortened": ("{actor} shortened the duration", "timer", ""),
    "broke_glass": ("{actor} applied it without approval", "shield-alert", "bad"),
    "review_reminded": ("Reminder sent: not reviewed yet", "bell", "warn"),
    "review_accepted": ("{actor} reviewed and accepted it", "check", "ok"),
    "review_undo": ("{actor} reviewed it and requested an undo", "undo-2", "warn"),
    "rejected": ("{actor} rejected it", "ban", "bad"),
    "withdrawn": ("{actor} withdrew it", "undo-2", ""),
    "cancelled": ("Cancelled", "undo-2", ""),
    "expired": ("Expired", "timer", ""),
    "applying": ("Started", "play", "info"),
    "taken_over": ("Another worker took over", "rotate-cw", "warn"),
    "retry": ("AWS couldn’t be changed yet", "refresh-cw", "warn"),
    "confirming": ("AWS accepted the call", "zap", "info"),
    "looked_again": ("{actor} refreshed it", "eye", "info"),
    "applied": ("Done", "shield-check", "ok"),
    "failed": ("Failed", "x", "bad"),
    "unknown": ("Outcome unknown", "circle-help", "warn"),
}


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """An event of the timeline."""

    text: str
    icon: str
    tone: str
    at: datetime | None
    note: str = ""
    is_quote: bool = False


def lines_of(change: Change, events: list[ChangeEvent], *, decides: bool = False) -> list[TimelineLine]:
    """Return past events and what the change waits for; `decides` adapts the text to a viewer who decides."""
    lines = []
    for event in events:
        text, icon, tone = _LINES.get(event.kind, (event.kind, "info", ""))
        is_quote = event.actor_id is not None and bool(event.note)
        lines.append(
            TimelineLine(text.format(actor=event.actor_label), icon, tone, event.at, event.note, is_quote)
        )
    following = "You can decide" if decides else _FOLLOWING.get(change.state)
    if following:
        lines.append(TimelineLine(following, "hourglass", "note", None, slowness(change)))
    return lines


def slowness(change: Change) -> str:
    """Return what it means that a worker takes long; "" if it doesn’t."""
    if change.state != ChangeState.APPLYING or change.lease_until is None or change.applying_at is None:
        return ""
    if datetime.now(tz=UTC) - change.applying_at < SLOW_AFTER:
        return ""
    takes_over_at = time_text(change.lease_until, seconds=True)
    return f"If the worker stopped, another one takes over at {takes_over_at}."


SLOW_AFTER = timedelta(seconds=10)

_FOLLOWING: dict[str, str] = {
    ChangeState.AWAITING: "Waiting for approval",
    ChangeState.QUEUED: "Waiting for a worker",
    ChangeState.APPLYING: "Waiting for AWS",
    ChangeState.CONFIRMING: "Confirming that AWS shows it",
}


@dataclass(frozen=True, slots=True)
class TrailRecord:
    """CloudTrail's record of a call; `url` leads to the event if the viewer can open it."""

    sentence: str
    is_pending: bool = False
    event_id: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call with its equivalents and result.

    `place` is the account's name if a page shows several, and `record` is CloudTrail's record if a page
    looked it up.
    """

    shown: ShownCall
    at: datetime | None = None
    milliseconds: int | None = None
    request_id: str = ""
    error: str = ""
    place: str = ""
    record: TrailRecord | None = None

    @property
    def is_done(self) -> bool:
        """Whether AWS has answered."""
        return self.at is not None


def call_rows(calls: list[dict[str, Any]], *, partition: str, places: Sequence[str] = ()) -> list[CallRow]:
    """Return the calls of a receipt or change; `places` are the names of their accounts, if there are
    several.
    """
    named = places or [""] * len(calls)
    rows: list[CallRow] = []
    for shown, call, place in zip(shown_calls(calls, partition=partition), calls, named, strict=True):
        at = datetime.fromisoformat(call["at"]) if call.get("at") else None
        rows.append(
            CallRow(
                shown,
                at=at,
                milliseconds=call.get("milliseconds"),
                request_id=call.get("request_id", ""),
                error=call.get("error", ""),
                place=place,
            )
        )
    return rows


def rows_by_account(calls: Sequence[tuple[dict[str, Any], Account]]) -> list[CallRow]:
    """Return the calls of several operations in order; accounts are named if there are several."""
    if not calls:
        return []
    bodies = [body for body, _ in calls]
    accounts = [account for _, account in calls]
    are_several = len({account.pk for account in accounts}) > 1
    places = [account.name for account in accounts] if are_several else []
    return call_rows(bodies, partition=accounts[0].partition, places=places)


_RISKY: dict[str, set[str]] = {"+": {"everything", "iam"}, "−": {"denies"}, "=": set()}
"""Risky changes of policies: a broad permission that is added, a deny that is removed."""


@dataclass(frozen=True, slots=True)
class ReceiptPolicy:
    """A policy of a receipt with its text, and its page if the viewer can open it."""

    stands: dict[str, Any]
    sign: str
    pk: int | None
    text: str
    is_risky: bool


_FLAGS = {
    "everything": ("Allows every action", "bad"),
    "iam": ("Changes IAM", "warn"),
    "denies": ("Denies something", "note"),
}


def policy_rows(receipt: dict[str, Any], *, open_to: OpenableEntities | None = None) -> list[ReceiptPolicy]:
    """Return gained, lost and kept policies with their texts; takes one query."""
    effect = receipt["effect"]
    listed: list[tuple[str, dict[str, Any]]] = []
    for sign, key in (("+", "gains"), ("−", "loses"), ("=", "keeps")):
        listed.extend((sign, policy) for policy in effect[key])
    digests = {policy["digest"] for _, policy in listed if policy["digest"]}
    texts = dict(Document.objects.filter(digest__in=digests).values_list("digest", "text"))
    rows: list[ReceiptPolicy] = []
    for sign, policy in listed:
        pk = policy["entity_id"] if open_to and policy["entity_id"] in open_to else None
        rows.append(
            ReceiptPolicy(
                stands=policy | {"marks": [_FLAGS[flag] for flag in policy["flags"]]},
                sign=sign,
                pk=pk,
                text=texts.get(policy["digest"], ""),
                is_risky=bool(_RISKY[sign] & set(policy["flags"])),
            )
        )
    return rows


FAST, SLOW = "300ms", "2s"
FAST_FOR = 5.0
"""Seconds after queuing during which the page polls fast."""


def pace_of(change: Change) -> str:
    """Return the polling interval; "" if no update is expected."""
    if change.state == ChangeState.AWAITING:
        return "5s"
    if not change.is_running:
        return ""
    since = (datetime.now(tz=UTC) - (change.queued_at or change.created_at)).total_seconds()
    return FAST if since < FAST_FOR else SLOW


def version_of(change: Change, events: list[ChangeEvent], *, pace: str) -> str:
    """Return a version of the live part; equal versions mean equal content."""
    return f"{len(events)}-{change.state}-{pace}{'-slow' if slowness(change) else ''}"
