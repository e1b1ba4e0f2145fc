"""Cases of `administrator-without-mfa`."""

from __future__ import annotations

from iam.audit.findings.rules.administrator_without_mfa import AdministratorWithoutMfa
from tests.iam.audit.findings.rules.site import CONDITIONAL, FALSE, FULL, MFA, TRUE, Site, allow, cases_of


def bounded(site: Site, user: int) -> None:
    site.policy("Admin", FULL, to=(user,))
    site.bounds[user] = site.policy("Boundary", allow("s3:*"))


def denied(site: Site, user: int) -> None:
    site.policy("Admin", FULL, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}, to=(user,))


def guarded(site: Site, user: int) -> None:
    site.policy("Admin", FULL, to=(user,))
    site.scp(FULL)
    site.scp(allow(["s3:*", "ec2:*"]))


CASES = {
    "administrator": (lambda site: site.policy("Admin", FULL, to=(site.user(mfa="none"),)), TRUE),
    "administrator by a group": (
        lambda site: site.policy("Admin", FULL, to=(site.group("admins", site.user(mfa="none")),)),
        TRUE,
    ),
    "only with MFA": (
        lambda site: site.policy("Admin", FULL | {"Condition": MFA}, to=(site.user(mfa="none"),)),
        CONDITIONAL,
    ),
    "with MFA": (lambda site: site.policy("Admin", FULL, to=(site.user(),)), FALSE),
    "no administrator": (lambda site: site.user(mfa="none"), FALSE),
    "bounded": (lambda site: bounded(site, site.user(mfa="none")), FALSE),
    "denied": (lambda site: denied(site, site.user(mfa="none")), FALSE),
    "an SCP denies IAM": (lambda site: guarded(site, site.user(mfa="none")), FALSE),
}
test_cases = cases_of(AdministratorWithoutMfa(), CASES)
