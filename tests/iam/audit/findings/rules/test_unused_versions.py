"""Cases of `unused-versions`."""

from __future__ import annotations

from iam.audit.findings.rules.unused_versions import UnusedVersions
from tests.iam.audit.findings.rules.site import FALSE, TRUE, Site, allow, cases_of


def versions(site: Site, many: int) -> None:
    policy = site.policy("P", allow("s3:*"), to=(site.user(),))
    site.versions[policy] = [(f"v{number}", number == many) for number in range(1, many + 1)]


CASES = {
    "five": (lambda site: versions(site, 5), TRUE),
    "four": (lambda site: versions(site, 4), FALSE),
}
test_cases = cases_of(UnusedVersions(), CASES)
