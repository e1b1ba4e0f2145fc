"""Cases of `owner-missing`."""

from __future__ import annotations

from iam.audit.findings.facts import KeyFact
from iam.audit.findings.rules.owner_missing import OwnerMissing
from tests.iam.audit.findings.rules.site import FALSE, PREFIX, TRUE, UNREAD, Site, cases_of, days

KEYS = (KeyFact(1, days(9), days(1)),)


def owned(site: Site, number: int) -> None:
    site.owned.add(number)


CASES = {
    "a used role": (lambda site: site.role(used=days(3)), TRUE),
    "a used role with an owner": (lambda site: owned(site, site.role(used=days(3))), FALSE),
    "a role that no one used": (lambda site: site.role(), FALSE),
    "a role used long ago": (lambda site: site.role(used=days(100)), FALSE),
    "AWS’s own": (lambda site: site.role(arn=f"{PREFIX}role/aws-service-role/x/L", used=days(3)), FALSE),
    "of Identity Center": (
        lambda site: site.role(arn=f"{PREFIX}role/aws-reserved/sso.amazonaws.com/R", used=days(3)),
        FALSE,
    ),
    "a machine user with keys": (lambda site: site.user(password=False, keys=KEYS), TRUE),
    "a machine user with an owner": (
        lambda site: owned(site, site.user(password=False, keys=KEYS)),
        FALSE,
    ),
    "a machine user without keys": (lambda site: site.user(password=False), FALSE),
    "a user with a password": (lambda site: site.user(keys=KEYS), FALSE),
    "a user without credential report": (lambda site: site.user(password=None, keys=KEYS), UNREAD),
    "roles not synced": (lambda site: site.unsynced.add("roles"), UNREAD),
}
test_cases = cases_of(OwnerMissing(), CASES)
