"""Records the calls of a change: sent, answered, rejected or in doubt, so that the next worker knows which
are left.
"""

from __future__ import annotations

from typing import Any

from iam.changes.models import Change

Notes = list[dict[str, Any]]


def is_answered(change: Change, number: int) -> bool:
    """True if AWS has confirmed the call."""
    call = change.calls[number]
    return bool(call.get("at")) and not call.get("error")


def is_in_doubt(change: Change, number: int) -> bool:
    """True if the call may have been sent and its outcome is unknown."""
    return bool(change.calls[number].get("in_doubt"))


def has_doubt(change: Change) -> bool:
    """True if one of the calls is in doubt."""
    return any(is_in_doubt(change, number) for number in range(len(change.calls)))


def done_sentences(change: Change) -> list[str]:
    """The sentences of the calls that AWS has confirmed."""
    return [call["sentence"] for number, call in enumerate(change.calls) if is_answered(change, number)]


def noted(change: Change, number: int, *, in_doubt: bool, **answer: Any) -> Notes:
    """Return the change's calls with one of them updated: before it is sent, or with its response.

    A call is in doubt until it is answered, and after an error if AWS may have carried it out nevertheless.
    """
    notes = [dict(call) for call in change.calls]
    notes[number] |= {**answer, "in_doubt": in_doubt}
    return notes
