"""Records outside the journal that must not change once the journal holds their digest. Their owner registers
a check, which runs at each verification of the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple


class RecordsVerdict(NamedTuple):
    """The number of records compared, and a sentence for each record that differs from the journal."""

    compared: int
    problems: list[str]


RecordsCheck = Callable[[], RecordsVerdict]
_CHECKS: Final[dict[str, RecordsCheck]] = {}


def on_verification(name: str, check: RecordsCheck) -> None:
    """Register a check to run at each verification. A check with the same name is replaced."""
    _CHECKS[name] = check


def verify_records() -> RecordsVerdict:
    """Run all registered checks and add up their results."""
    count = 0
    problems: list[str] = []
    for check in _CHECKS.values():
        verdict = check()
        count += verdict.compared
        problems += verdict.problems
    return RecordsVerdict(count, problems)
