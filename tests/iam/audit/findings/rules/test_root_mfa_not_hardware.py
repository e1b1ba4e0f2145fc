"""Cases of `root-mfa-not-hardware`."""

from __future__ import annotations

from datetime import datetime

from iam.audit.findings.rules.root_mfa_not_hardware import RootMfaNotHardware
from iam.mirror.models import NEVER
from iam.people.fleet.roots import RootStanding, RootUserFacts
from tests.iam.audit.findings.rules.site import FALSE, NOW, NUMBER, TRUE, UNREAD, cases_of


def root(standing: RootStanding, *, keys: int | None = 0, used: datetime | None = NEVER) -> RootUserFacts:
    return RootUserFacts(NUMBER, "production", standing, keys, used, NOW)


CASES = {
    "virtual": (lambda site: setattr(site, "is_root_mfa_virtual", True), TRUE),
    "hardware": (lambda site: setattr(site, "is_root_mfa_virtual", False), FALSE),
    "no MFA at all is another kind": (lambda site: setattr(site, "root", root(RootStanding.NONE)), FALSE),
    "devices not read": (lambda site: site.unsynced.add("mfa_devices"), UNREAD),
}
test_cases = cases_of(RootMfaNotHardware(), CASES)
