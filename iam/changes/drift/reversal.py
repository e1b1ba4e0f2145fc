"""One difference of a drift, and what turns it back."""

from __future__ import annotations

from dataclasses import dataclass

from iam.changes.operations import Operation

MOVED_ON = (
    "It was changed again since then, and undoing this would undo that too. Decide the newer difference "
    "first."
)


@dataclass(frozen=True, slots=True)
class DriftReversal:
    """What there is to turn back, and by which operations; without one, why it stays."""

    what: str
    operations: tuple[Operation, ...] = ()
    why_not: str = ""
    has_moved_on: bool = False


def moved_on_reversal(what: str) -> DriftReversal:
    """AWS has moved on: nothing of the drift is turned back."""
    return DriftReversal(what, why_not=MOVED_ON, has_moved_on=True)
