"""Records elsewhere in the database that never change once the journal has their digest: who keeps some
registers a check, which a verification of the journal runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple


class RecordsVerdict(NamedTuple):
    """How many records were compared, and a sentence for each that isn't as the journal says."""

    compared: int
    problems: list[str]


RecordsCheck = Callable[[], RecordsVerdict]
_CHECKS: Final[dict[str, RecordsCheck]] = {}


def on_verification(name: str, check: RecordsCheck) -> None:
    """Have a check run with each verification; the same name replaces the one before."""
    _CHECKS[name] = check


def verify_records() -> RecordsVerdict:
    """All checks together."""
    count = 0
    problems: list[str] = []
    for check in _CHECKS.values():
        verdict = check()
        count += verdict.compared
        problems += verdict.problems
    return RecordsVerdict(count, problems)
