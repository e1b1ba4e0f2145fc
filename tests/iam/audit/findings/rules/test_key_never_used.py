"""Cases of `key-never-used`."""

from __future__ import annotations

from iam.audit.findings.facts import KeyFact
from iam.audit.findings.rules.key_never_used import KeyNeverUsed
from tests.iam.audit.findings.rules.site import FALSE, TRUE, cases_of, days


def key(age: float, *, used: float | None = 1, slot: int = 1) -> KeyFact:
    return KeyFact(slot, days(age), None if used is None else days(used), f"AKIA{slot:016d}")


CASES = {
    "a month old": (lambda site: site.user(keys=(key(30, used=None),)), TRUE),
    "created yesterday": (lambda site: site.user(keys=(key(1, used=None),)), FALSE),
    "used": (lambda site: site.user(keys=(key(30),)), FALSE),
}
test_cases = cases_of(KeyNeverUsed(), CASES)
