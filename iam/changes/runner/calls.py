"""What a change notes of its calls: sent, answered, rejected, or in doubt, so that the next worker knows
which are left.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from iam.changes.models import Change

Notes = list[dict[str, Any]]


def is_answered(change: Change, number: int) -> bool:
    """Whether AWS has carried it out and said so."""
    call = change.calls[number]
    return bool(call.get("at")) and not call.get("error")


def is_in_doubt(change: Change, number: int) -> bool:
    """Whether it may have been sent, and nobody knows what came of it."""
    return bool(change.calls[number].get("in_doubt"))


def has_doubt(change: Change) -> bool:
    """Whether one of the calls is in doubt."""
    return any(is_in_doubt(change, number) for number in range(len(change.calls)))


def done_sentences(change: Change) -> list[str]:
    """The sentences of the calls that AWS has carried out."""
    return [call["sentence"] for number, call in enumerate(change.calls) if is_answered(change, number)]


def sent(change: Change, number: int) -> Notes:
    """The notes with one call about to be sent."""
    return _noted_call(change, number, in_doubt=True)


def notes_with_answer(
    change: Change, number: int, *, milliseconds: int, request_id: str, error: str, in_doubt: bool
) -> Notes:
    """The notes with the answer to one call; an error leaves it in doubt where AWS may have carried it out
    all the same.
    """
    return _noted_call(
        change,
        number,
        at=datetime.now(tz=UTC).isoformat(),
        milliseconds=milliseconds,
        request_id=request_id,
        error=error,
        in_doubt=in_doubt,
    )


def _noted_call(change: Change, number: int, **values: Any) -> Notes:
    notes = [dict(call) for call in change.calls]
    notes[number] |= values
    return notes
