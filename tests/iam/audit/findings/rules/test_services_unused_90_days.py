"""Cases of `services-unused-90-days`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.facts import ServicesFact
from iam.audit.findings.rules.services_unused_90_days import ServicesUnused90Days
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, Site, allow, answer_of, cases_of, days


def user(site: Site, *, called: bool = False, known: bool = True, holds: bool = True, **fields: Any) -> int:
    number = site.user(**fields)
    if holds:
        site.policy("Reads", allow("s3:Get*"), to=(number,))
    if known:
        site.last_calls = {site.entities[number].aws_id: days(3)} if called else {}
    return number


def by_iam(site: Site, *, used: float | None = None) -> int:
    """No trail is known, and IAM was asked yesterday."""
    number = user(site, known=False)
    site.services = {number: ServicesFact(days(1), None if used is None else days(used))}
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
    "no trail, and IAM saw no use": (by_iam, TRUE),
    "no trail, and IAM saw a use 100 days ago": (lambda site: by_iam(site, used=100), TRUE),
    "no trail, and IAM saw a use 80 days ago": (lambda site: by_iam(site, used=80), FALSE),
    "no trail, and another user’s report": (
        lambda site: (by_iam(site, used=80), user(site, name="tomas", known=False)),
        UNREAD,
    ),
    "credentials not read": (lambda site: user(site, password=None), UNREAD),
}
test_cases = cases_of(ServicesUnused90Days(), CASES)


def test_the_source_is_said_where_it_is_iam() -> None:
    for build, source in ((by_iam, "IAM’s report of when services were last used"), (user, None)):
        _, computed = answer_of(ServicesUnused90Days(), build)
        (finding,) = computed.findings.values()
        assert finding.values["evidence"].get("source") == source
