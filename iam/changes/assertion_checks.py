"""What a higher layer knows to be forbidden: it registers a check in its `AppConfig.ready`, which is asked
what some changes would newly break.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from iam.changes.operations.access import AffectedPrincipal
from iam.policy.index.index import PolicyIndex

NAMED: Final = 6


@dataclass(frozen=True, slots=True)
class BrokenAssertion:
    """An assertion that some changes break in an account, and who would break it; `more` are not named."""

    key: str
    name: str
    actions: tuple[str, ...]
    account_id: str
    names: tuple[AffectedPrincipal, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class AssertionQuestion:
    """The index before, and with the changed accounts as they would be. `concerned` gives one that has only
    those in them whom the changes concern; `whole` gives one that has everybody, which takes longer.
    """

    before: PolicyIndex
    concerned: Callable[[], PolicyIndex]
    accounts: Collection[str]
    whole: Callable[[], PolicyIndex]


Check = Callable[[AssertionQuestion], Iterable[BrokenAssertion]]
_checks: list[Check] = []


def on_impact(check: Check) -> Check:
    """Ask this check whenever a receipt is made."""
    if check not in _checks:
        _checks.append(check)
    return check


def newly_broken(question: AssertionQuestion) -> tuple[BrokenAssertion, ...]:
    """What the changes would break and is not broken by the same users and roles now."""
    broken: list[BrokenAssertion] = []
    for check in _checks:
        broken.extend(check(question))
    return tuple(broken)
