"""Defines the reversal of one difference of a drift."""

from __future__ import annotations

from dataclasses import dataclass

from iam.changes.operations import Operation

MOVED_ON = (
    "It was changed again since then, and undoing this would undo that too. Decide the newer difference "
    "first."
)


@dataclass(frozen=True, slots=True)
class DriftReversal:
    """A difference and the operations that revert it; if there are none, the reason."""

    what: str
    operations: tuple[Operation, ...] = ()
    why_not: str = ""
    has_moved_on: bool = False


def moved_on_reversal(what: str) -> DriftReversal:
    """A reversal without operations, because AWS has changed again since the drift."""
    return DriftReversal(what, why_not=MOVED_ON, has_moved_on=True)
