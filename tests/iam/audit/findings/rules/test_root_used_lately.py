"""Cases of `root-used-lately`."""

from __future__ import annotations

from datetime import datetime

from iam.audit.findings.rules.root_used_lately import RootUsedLately
from iam.mirror.models import NEVER
from iam.people.fleet.roots import RootStanding, RootUserFacts
from tests.iam.audit.findings.rules.site import FALSE, NOW, NUMBER, TRUE, UNREAD, cases_of, days


def root(standing: RootStanding, *, keys: int | None = 0, used: datetime | None = NEVER) -> RootUserFacts:
    return RootUserFacts(NUMBER, "production", standing, keys, used, NOW)


CASES = {
    "used three days ago": (lambda site: setattr(site, "root", root(RootStanding.ON, used=days(3))), TRUE),
    "used last year": (lambda site: setattr(site, "root", root(RootStanding.ON, used=days(300))), FALSE),
    "never used": (lambda site: setattr(site, "root", root(RootStanding.ON)), FALSE),
    "not read": (lambda site: setattr(site, "root", root(RootStanding.ON, used=None)), UNREAD),
}
test_cases = cases_of(RootUsedLately(), CASES)
