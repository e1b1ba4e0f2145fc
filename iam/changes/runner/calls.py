"""What a change notes of its calls: sent, answered, rejected, or in doubt, so that the next worker knows
which are left.
"""

from __future__ import annotations

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


def noted(change: Change, number: int, *, in_doubt: bool, **answer: Any) -> Notes:
    """The notes with one call about to be sent, which is in doubt until it is answered, or with its answer;
    an error leaves it in doubt where AWS may have carried it out all the same.
    """
    notes = [dict(call) for call in change.calls]
    notes[number] |= {**answer, "in_doubt": in_doubt}
    return notes
