"""Cases of `full-access-to-service`."""

from __future__ import annotations

from iam.audit.findings.rules.full_access_to_service import FullAccessToService
from tests.iam.audit.findings.rules.site import CONDITIONAL, FALSE, FULL, TRUE, Site, allow, cases_of


def guarded(site: Site) -> None:
    site.policy("P", allow("aws-marketplace:*"), to=(site.user(),))
    site.scp(FULL, {"Effect": "Deny", "Action": "aws-marketplace:*", "Resource": "*"})


CASES = {
    "CloudTrail": (lambda site: site.policy("P", allow("cloudtrail:*"), to=(site.user(),)), TRUE),
    "KMS, whose key policies are not synced": (
        lambda site: site.policy("P", allow("kms:*"), to=(site.user(),)),
        CONDITIONAL,
    ),
    "another service": (lambda site: site.policy("P", allow("s3:*"), to=(site.user(),)), FALSE),
    "one action": (lambda site: site.policy("P", allow("cloudtrail:LookupEvents"), to=(site.user(),)), FALSE),
    "an SCP denies it": (lambda site: guarded(site), FALSE),
}
test_cases = cases_of(FullAccessToService(), CASES)
