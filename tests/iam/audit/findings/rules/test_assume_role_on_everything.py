"""Cases of `assume-role-on-everything`."""

from __future__ import annotations

from iam.audit.findings.rules.assume_role_on_everything import AssumeRoleOnEverything
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    MFA,
    PREFIX,
    TRUE,
    Site,
    allow,
    cases_of,
)


def guarded(site: Site) -> None:
    site.policy("Hop", allow("sts:AssumeRole"), to=(site.user(),))
    site.scp(FULL, {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"})


CASES = {
    "on *": (lambda site: site.policy("Hop", allow("sts:AssumeRole"), to=(site.user(),)), TRUE),
    "every role by a pattern": (
        lambda site: site.policy("Hop", allow("sts:AssumeRole", "arn:aws:iam::*:role/*"), to=(site.user(),)),
        TRUE,
    ),
    "every role of its own account": (
        lambda site: site.policy("Hop", allow("sts:AssumeRole", f"{PREFIX}role/*"), to=(site.user(),)),
        FALSE,
    ),
    "one name in every account": (
        lambda site: site.policy("Hop", allow("sts:AssumeRole", "arn:aws:iam::*:role/ci"), to=(site.user(),)),
        FALSE,
    ),
    "with MFA": (
        lambda site: site.policy("Hop", allow("sts:*", Condition=MFA), to=(site.user(),)),
        CONDITIONAL,
    ),
    "one role": (
        lambda site: site.policy("Hop", allow("sts:AssumeRole", f"{PREFIX}role/app"), to=(site.user(),)),
        FALSE,
    ),
    "an SCP denies it": (lambda site: guarded(site), FALSE),
}
test_cases = cases_of(AssumeRoleOnEverything(), CASES)
