"""Cases of `services-unused-90-days`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.rules.services_unused_90_days import ServicesUnused90Days
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, Site, allow, cases_of, days


def user(site: Site, *, called: bool = False, known: bool = True, holds: bool = True, **fields: Any) -> int:
    number = site.user(**fields)
    if holds:
        site.policy("Reads", allow("s3:Get*"), to=(number,))
    if known:
        site.last_calls = {site.entities[number].aws_id: days(3)} if called else {}
    return number


def in_group(site: Site) -> None:
    site.policy("Reads", allow("s3:Get*"), to=(site.group("team", user(site, holds=False)),))


CASES = {
    "no call": (user, TRUE),
    "no call, permissions by a group": (in_group, TRUE),
    "a call three days ago": (lambda site: user(site, called=True), FALSE),
    "can’t sign in": (lambda site: user(site, password=False), FALSE),
    "holds nothing": (lambda site: user(site, holds=False), FALSE),
    "created 80 days ago": (lambda site: user(site, created_at=days(80)), FALSE),
    "no trail covers the time": (lambda site: user(site, known=False), UNREAD),
    "credentials not read": (lambda site: user(site, password=None), UNREAD),
}
test_cases = cases_of(ServicesUnused90Days(), CASES)
