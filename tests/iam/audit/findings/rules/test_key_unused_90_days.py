"""Cases of `key-unused-90-days`."""

from __future__ import annotations

from iam.audit.findings.facts import KeyFact
from iam.audit.findings.rules.key_unused_90_days import KeyUnused90Days
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of, days


def key(age: float, *, used: float | None = 1, slot: int = 1) -> KeyFact:
    return KeyFact(slot, days(age), None if used is None else days(used), f"AKIA{slot:016d}")


CASES = {
    "used 91 days ago": (lambda site: site.user(keys=(key(300, used=91),)), TRUE),
    "used 60 days ago": (lambda site: site.user(keys=(key(300, used=60),)), FALSE),
    "never used is another kind": (lambda site: site.user(keys=(key(300, used=None),)), FALSE),
    "no credential report": (lambda site: site.unsynced.add("credential_report"), UNREAD),
}
test_cases = cases_of(KeyUnused90Days(), CASES)
