"""Context of a request's page: all of its changes, and their status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse

from console.changes.act_text import lint_of
from console.changes.page import first_of, page_context
from console.changes.presenters import (
    FAST,
    MARKS,
    SET_MARKS,
    SLOW,
    StateMark,
    TimelineLine,
    call_rows,
    pace_of,
)
from console.changes.trail_records import record_pace
from console.web.access import ViewerRequest
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.changes.models import RUNNING, Change, ChangeEvent, ChangeState
from iam.changes.operations import restore
from iam.changes.queries import timeline
from iam.changes.set_state import SetStanding, standing_of_counts
from iam.changes.undone import UndoneParts
from iam.changes.warnings import AcceptedWarning, warnings_of

LISTED = 50
"""Number of changes per page of the list."""
TROUBLES = 10
"""Maximum number of failed changes in the timeline."""
_OF_ONE = {"applying", "confirming", "applied", "retry", "taken_over", "looked_again", "failed", "unknown"}
"""Event kinds that concern a single change."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change in the request's list."""

    change: Change
    mark: StateMark
    calls: list[Any]
    undone_words: str


def refused_page(
    request: ViewerRequest, pk: UUID, refused: RefusedError | None, **typed: object
) -> HttpResponse:
    """Show the request with the refusal and the input; `wants_comment` marks a missing comment."""
    shown = first_of(request, pk)
    context = request_context(request, shown) | {"pace": "", "refused": refused} | typed
    return render_page(request, "changes/request.html", context, status=422)


def request_context(request: ViewerRequest, shown: Change) -> dict[str, Any]:
    """Return the context of `request.html`; `shown` is the first visible change of the request."""
    events = timeline(shown)
    context = page_context(request, shown, events, of_request=True)
    parts: Sequence[Change] = context["parts"]
    counts = Counter(part.state for part in parts)
    standing = standing_of_counts(counts)
    # A worker may have finished it after `shown` was read; a page that shows it in progress must then poll
    # once more.
    pace = max((pace_of(part) for part in (shown, *parts)), key=_urgency)
    total = shown.change_set.changes.count()
    is_single = len(parts) == 1 and total == 1
    if is_single:
        pace = pace or record_pace(context["calls"])
    accepted = _accepted(shown, parts, context, is_single=is_single)
    page = "changes:change" if is_single else "changes:request"
    return context | {
        "is_single": is_single,
        "address": reverse(page, args=[shown.pk]),
        "mark": MARKS[shown.state] if is_single else SET_MARKS[standing.state],
        "standing_words": standing.words,
        "accepted": [warning for warning in accepted if not warning.is_note],
        "good_to_know": [warning for warning in accepted if warning.is_note],
        "listed": [_part(part, undone=context["undone"]) for part in parts[:LISTED]],
        "set_total": len(parts),
        "set_more": len(parts) > LISTED,
        "set_hidden": total - len(parts),
        "lines": context["lines"] if is_single else _lines(context["lines"], events, parts, standing),
        "undoable": sum(_is_undoable(part, undone=context["undone"]) for part in parts),
        "pace": pace,
        "version": _version(events, counts, pace=pace, is_slow=context["is_slow"]),
        **({} if is_single else _lint(parts)),
    }


def _accepted(
    shown: Change, parts: Sequence[Change], context: dict[str, Any], *, is_single: bool
) -> list[AcceptedWarning]:
    """Return the warnings accepted with the request.

    A single change shows its receipt on the page, with the receipt's warnings in it.
    """
    if context["is_partial"] and not context["standing"].is_concerned:
        return []
    sees_accounts = context["viewer_sees_all"]
    with_receipts = [] if is_single else parts
    return warnings_of(shown.change_set, parts=with_receipts, is_limited=not sees_accounts)


def _lint(parts: Sequence[Change]) -> dict[str, Any]:
    """Return lint findings of the texts that the request writes."""
    return lint_of(restore(part.operation, account=part.account, params=part.params) for part in parts)


def _is_undoable(part: Change, *, undone: UndoneParts) -> bool:
    is_done = part.state == ChangeState.APPLIED and not part.already_so
    return is_done and not undone.words_of(part.pk)


def _part(part: Change, *, undone: UndoneParts) -> ChangeRow:
    calls = call_rows(part.calls, partition=part.account.partition)
    return ChangeRow(part, MARKS[part.state], calls, undone.words_of(part.pk))


def _urgency(pace: str) -> int:
    any_other = 1 if pace else 0
    return {FAST: 3, SLOW: 2}.get(pace, any_other)


def _version(events: Sequence[ChangeEvent], counts: Counter[str], *, pace: str, is_slow: bool) -> str:
    """Return a version of the live part; equal versions mean equal content."""
    states = "-".join(f"{state}{number}" for state, number in sorted(counts.items()))
    return f"{len(events)}-{states}-{pace}-{'slow' if is_slow else ''}"


def _lines(
    lines: Sequence[TimelineLine],
    events: Sequence[ChangeEvent],
    parts: Sequence[Change],
    standing: SetStanding,
) -> list[TimelineLine]:
    """Return the request's timeline: decisions, then failures, then the result."""
    kinds = [event.kind for event in events]
    telling_lines = [line for line, kind in zip(lines, kinds, strict=False) if kind not in _OF_ONE]
    wrong = [part for part in parts if part.state in (ChangeState.FAILED, ChangeState.UNKNOWN)]
    for part in sorted(wrong, key=lambda change: change.ended_at or change.created_at)[:TROUBLES]:
        mark = MARKS[part.state]
        telling_lines.append(
            TimelineLine(
                f"{mark.text}: {part.title}", mark.icon, mark.tone, part.ended_at, part.error_message
            )
        )
    if len(wrong) > TROUBLES:
        telling_lines.append(TimelineLine(f"and {len(wrong) - TROUBLES} more that failed", "x", "bad", None))
    ended: list[datetime] = [part.ended_at for part in parts if part.ended_at]
    if standing.words and len(ended) == len(parts):
        tone = "" if standing.failed else "ok"
        telling_lines.append(TimelineLine(standing.words, "shield-check", tone, max(ended)))
    elif any(part.state in RUNNING for part in parts):
        telling_lines.append(
            TimelineLine(standing.words or "Waiting for a worker", "hourglass", "note", None)
        )
    elif len(lines) > len(kinds):
        telling_lines.append(replace(lines[-1], note=""))
    return telling_lines
