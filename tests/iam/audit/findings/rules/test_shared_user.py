"""Cases of `shared-user`."""

from __future__ import annotations

from iam.audit.findings.rules.shared_user import SharedUser
from tests.iam.audit.findings.rules.site import FALSE, TRUE, cases_of

CASES = {
    "by its name": (lambda site: site.user("ops-shared"), TRUE),
    "by its tag": (lambda site: site.user("wallboard", tags={"Kind": "machine"}), TRUE),
    "a person": (lambda site: site.user("teamira.usman"), FALSE),
    "no password": (lambda site: site.user("ops-shared", password=False), FALSE),
}
test_cases = cases_of(SharedUser(), CASES)
