"""Cases of `full-administrator-aws-managed`."""

from __future__ import annotations

from iam.audit.findings.rules.full_administrator_aws_managed import FullAdministratorAwsManaged
from tests.iam.audit.findings.rules.site import FALSE, FULL, TRUE, Site, allow, cases_of


def bounded(site: Site) -> None:
    role = site.role()
    site.policy("AdministratorAccess", FULL, to=(role,), aws=True)
    site.bounds[role] = site.policy("Boundary", allow("s3:*"))


CASES = {
    "on a role": (lambda site: site.policy("AdministratorAccess", FULL, to=(site.role(),), aws=True), TRUE),
    "on a group of one": (
        lambda site: site.policy("AdministratorAccess", FULL, to=(site.group("g", site.user()),), aws=True),
        TRUE,
    ),
    "a customer managed policy is another kind": (
        lambda site: site.policy("Mine", FULL, to=(site.role(),)),
        FALSE,
    ),
    "bounded": (lambda site: bounded(site), FALSE),
    "Gatehouse’s own role": (
        lambda site: site.policy("AdministratorAccess", FULL, to=(site.role("gatehouse-writer"),), aws=True),
        FALSE,
    ),
}
test_cases = cases_of(FullAdministratorAwsManaged(), CASES)
