"""Lets higher layers register checks, in `AppConfig.ready`, for assertions that changes would newly break."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from iam.changes.access_effects import AffectedPrincipal
from iam.policy.index.index import PolicyIndex

NAMED: Final = 6


@dataclass(frozen=True, slots=True)
class BrokenAssertion:
    """An assertion that changes would break in an account, and the principals that break it; `more` are not
    named.
    """

    key: str
    name: str
    actions: tuple[str, ...]
    account_id: str
    names: tuple[AffectedPrincipal, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class AssertionQuestion:
    """The index before the change, and with the changed accounts after it.

    `concerned` returns an index with only the principals that the changes affect; `whole` one with everyone,
    which takes longer.
    """

    before: PolicyIndex
    concerned: Callable[[], PolicyIndex]
    accounts: Collection[str]
    whole: Callable[[], PolicyIndex]


Check = Callable[[AssertionQuestion], Iterable[BrokenAssertion]]
_checks: list[Check] = []


def on_impact(check: Check) -> Check:
    """Register a check to run whenever a receipt is made."""
    if check not in _checks:
        _checks.append(check)
    return check


def newly_broken(question: AssertionQuestion) -> tuple[BrokenAssertion, ...]:
    """The assertions that the changes would break and that the same users and roles don't break now."""
    broken: list[BrokenAssertion] = []
    for check in _checks:
        broken.extend(check(question))
    return tuple(broken)
