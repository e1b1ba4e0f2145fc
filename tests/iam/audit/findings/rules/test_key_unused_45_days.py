"""Cases of `key-unused-45-days`."""

from __future__ import annotations

from iam.audit.findings.facts import KeyFact
from iam.audit.findings.rules.key_unused_45_days import KeyUnused45Days
from tests.iam.audit.findings.rules.site import FALSE, TRUE, cases_of, days


def key(age: float, *, used: float | None = 1, slot: int = 1) -> KeyFact:
    return KeyFact(slot, days(age), None if used is None else days(used), f"AKIA{slot:016d}")


CASES = {
    "used 60 days ago": (lambda site: site.user(keys=(key(300, used=60),)), TRUE),
    "used 91 days ago is another kind": (lambda site: site.user(keys=(key(300, used=91),)), FALSE),
    "used 40 days ago": (lambda site: site.user(keys=(key(300, used=40),)), FALSE),
}
test_cases = cases_of(KeyUnused45Days(), CASES)
