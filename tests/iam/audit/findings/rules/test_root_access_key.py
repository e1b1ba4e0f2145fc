"""Cases of `root-access-key`."""

from __future__ import annotations

from datetime import datetime

from iam.audit.findings.rules.root_access_key import RootAccessKey
from iam.mirror.models import NEVER
from iam.people.fleet.roots import RootStanding, RootUserFacts
from tests.iam.audit.findings.rules.site import FALSE, NOW, NUMBER, TRUE, UNREAD, cases_of


def root(standing: RootStanding, *, keys: int | None = 0, used: datetime | None = NEVER) -> RootUserFacts:
    return RootUserFacts(NUMBER, "production", standing, keys, used, NOW)


CASES = {
    "a key": (lambda site: setattr(site, "root", root(RootStanding.ON, keys=1)), TRUE),
    "no key": (lambda site: setattr(site, "root", root(RootStanding.ON)), FALSE),
    "not read": (lambda site: setattr(site, "root", root(RootStanding.UNREAD, keys=None)), UNREAD),
}
test_cases = cases_of(RootAccessKey(), CASES)
