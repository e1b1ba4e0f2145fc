"""Cases of `two-active-keys`."""

from __future__ import annotations

from iam.audit.findings.facts import KeyFact
from iam.audit.findings.rules.two_active_keys import TwoActiveKeys
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of, days


def key(age: float, *, used: float | None = 1, slot: int = 1) -> KeyFact:
    return KeyFact(slot, days(age), None if used is None else days(used), f"AKIA{slot:016d}")


CASES = {
    "two": (lambda site: site.user(keys=(key(10), key(10, slot=2))), TRUE),
    "one": (lambda site: site.user(keys=(key(10),)), FALSE),
    "keys not read": (lambda site: site.user(password=None), UNREAD),
}
test_cases = cases_of(TwoActiveKeys(), CASES)
