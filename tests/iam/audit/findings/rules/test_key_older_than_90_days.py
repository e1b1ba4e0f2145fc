"""Cases of `key-older-than-90-days`."""

from __future__ import annotations

from iam.audit.findings.facts import KeyFact
from iam.audit.findings.rules.key_older_than_90_days import KeyOlderThan90Days
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of, days


def key(age: float, *, used: float | None = 1, slot: int = 1) -> KeyFact:
    return KeyFact(slot, days(age), None if used is None else days(used), f"AKIA{slot:016d}")


CASES = {
    "91 days": (lambda site: site.user(keys=(key(91),)), TRUE),
    "89 days": (lambda site: site.user(keys=(key(89),)), FALSE),
    "no key": (lambda site: site.user(), FALSE),
    "keys not read": (lambda site: site.user(password=None), UNREAD),
}
test_cases = cases_of(KeyOlderThan90Days(), CASES)
