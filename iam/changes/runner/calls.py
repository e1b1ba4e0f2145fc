"""Records the calls of a change: sent, answered, rejected or in doubt, so that the next worker knows which
are left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from iam.changes.models import Change, ChangeState

Notes = list[dict[str, Any]]
_ENDED_EARLY: Final = (
    ChangeState.FAILED,
    ChangeState.REJECTED,
    ChangeState.CANCELLED,
    ChangeState.EXPIRED,
)


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


def left_aws_alone(changes: Iterable[Change]) -> bool:
    """Return True if these changes have all ended and changed nothing in AWS, without a doubt."""
    return all(
        change.state in _ENDED_EARLY and not done_sentences(change) and not has_doubt(change)
        for change in changes
    )


def noted(change: Change, number: int, *, in_doubt: bool, **answer: Any) -> Notes:
    """Return the change's calls with one of them updated: before it is sent, or with its response.

    A call is in doubt until it is answered, and after an error if AWS may have carried it out nevertheless.
    """
    notes = [dict(call) for call in change.calls]
    notes[number] |= {**answer, "in_doubt": in_doubt}
    return notes
