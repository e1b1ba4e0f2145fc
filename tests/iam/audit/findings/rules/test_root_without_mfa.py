"""Cases of `root-without-mfa`."""

from __future__ import annotations

from datetime import datetime

from iam.audit.findings.rules.root_without_mfa import RootWithoutMfa
from iam.mirror.models import NEVER
from iam.people.fleet.roots import RootStanding, RootUserFacts
from tests.iam.audit.findings.rules.site import FALSE, NOW, NUMBER, TRUE, UNREAD, cases_of


def root(standing: RootStanding, *, keys: int | None = 0, used: datetime | None = NEVER) -> RootUserFacts:
    return RootUserFacts(NUMBER, "production", standing, keys, used, NOW)


CASES = {
    "no MFA": (lambda site: setattr(site, "root", root(RootStanding.NONE)), TRUE),
    "MFA": (lambda site: setattr(site, "root", root(RootStanding.ON)), FALSE),
    "no root credentials": (lambda site: setattr(site, "root", root(RootStanding.ABSENT)), FALSE),
    "not read": (lambda site: setattr(site, "root", root(RootStanding.UNREAD, keys=None)), UNREAD),
}
test_cases = cases_of(RootWithoutMfa(), CASES)
