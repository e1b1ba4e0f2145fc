"""Cases of `leaver-still-active`."""

from __future__ import annotations

from iam.audit.findings.rules.leaver_still_active import LeaverStillActive
from tests.iam.audit.findings.rules.site import FALSE, PREFIX, TRUE, UNREAD, cases_of

CASES = {
    "a tag": (lambda site: site.user(tags={"Status": "left"}), TRUE),
    "deactivated": (
        lambda site: site.user() and setattr(site, "gone", frozenset({f"{PREFIX}user/maya"})),
        TRUE,
    ),
    "nothing active": (lambda site: site.user(tags={"Status": "left"}, password=False), FALSE),
    "here": (lambda site: site.user(tags={"Status": "active"}), FALSE),
    "not read": (lambda site: site.user(tags={"Status": "left"}, password=None), UNREAD),
}
test_cases = cases_of(LeaverStillActive(), CASES)
