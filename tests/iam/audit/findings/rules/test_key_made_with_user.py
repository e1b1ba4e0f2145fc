"""Cases of `key-made-with-user`."""

from __future__ import annotations

from iam.audit.findings.facts import KeyFact
from iam.audit.findings.rules.key_made_with_user import KeyMadeWithUser
from tests.iam.audit.findings.rules.site import FALSE, TRUE, cases_of, days


def key(age: float, *, used: float | None = 1, slot: int = 1) -> KeyFact:
    return KeyFact(slot, days(age), None if used is None else days(used), f"AKIA{slot:016d}")


CASES = {
    "same day": (lambda site: site.user(created_at=days(100), keys=(key(99.9),)), TRUE),
    "a week later": (lambda site: site.user(created_at=days(100), keys=(key(93),)), FALSE),
    "no password": (lambda site: site.user(created_at=days(100), password=False, keys=(key(99.9),)), FALSE),
}
test_cases = cases_of(KeyMadeWithUser(), CASES)
