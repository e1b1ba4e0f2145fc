"""Cases of `services-unused-90-days`."""

from __future__ import annotations

from typing import Any

from iam.activity.sources.covered_accounts import CoverageGrade
from iam.audit.findings.facts import RecordedCalls, ServicesFact
from iam.audit.findings.rules.services_unused_90_days import ServicesUnused90Days
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    TRUE,
    UNREAD,
    Site,
    allow,
    answer_of,
    cases_of,
    days,
)

PARTLY = CoverageGrade.PARTLY_KNOWN


def user(
    site: Site,
    *,
    called: bool = False,
    known: CoverageGrade | None = CoverageGrade.COMPLETE,
    holds: bool = True,
    **fields: Any,
) -> int:
    number = site.user(**fields)
    if holds:
        site.policy("Reads", allow("s3:Get*"), to=(number,))
    if known:
        last_at = {site.entities[number].aws_id: days(3)} if called else {}
        site.last_calls = RecordedCalls(last_at, known)
    return number


def by_iam(site: Site, *, used: float | None = None, known: CoverageGrade | None = None) -> int:
    """No complete trail is known, and IAM was asked yesterday."""
    number = user(site, known=known)
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
    "no trail covers the time": (lambda site: user(site, known=None), UNREAD),
    "no trail, and IAM saw no use": (by_iam, TRUE),
    "no trail, and IAM saw a use 100 days ago": (lambda site: by_iam(site, used=100), TRUE),
    "no trail, and IAM saw a use 80 days ago": (lambda site: by_iam(site, used=80), FALSE),
    "no call in files that may not be all": (lambda site: user(site, known=PARTLY), CONDITIONAL),
    "a call in files that may not be all": (lambda site: user(site, known=PARTLY, called=True), FALSE),
    "no call in such files, and IAM saw no use": (lambda site: by_iam(site, known=PARTLY), TRUE),
    "no call in such files, and IAM saw a use": (lambda site: by_iam(site, used=3, known=PARTLY), FALSE),
    "no trail, and another user’s report": (
        lambda site: (by_iam(site, used=80), user(site, name="tomas", known=None)),
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
