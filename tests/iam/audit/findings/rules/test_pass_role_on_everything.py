"""Cases of `pass-role-on-everything`."""

from __future__ import annotations

from iam.audit.findings.rules.pass_role_on_everything import PassRoleOnEverything
from tests.iam.audit.findings.rules.site import CONDITIONAL, FALSE, MFA, PREFIX, TRUE, allow, cases_of

TO_EC2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}

CASES = {
    "on *": (lambda site: site.policy("P", allow("iam:PassRole"), to=(site.user(),)), TRUE),
    "by a pattern": (lambda site: site.policy("P", allow("iam:Pass*"), to=(site.user(),)), TRUE),
    "every role of the account": (
        lambda site: site.policy("P", allow("iam:PassRole", f"{PREFIX}role/*"), to=(site.user(),)),
        TRUE,
    ),
    "every role by a pattern": (
        lambda site: site.policy("P", allow("iam:PassRole", "arn:aws:iam::*:*"), to=(site.user(),)),
        TRUE,
    ),
    "roles of one path": (
        lambda site: site.policy("P", allow("iam:PassRole", f"{PREFIX}role/batch/*"), to=(site.user(),)),
        FALSE,
    ),
    "every role of another account": (
        lambda site: site.policy(
            "P", allow("iam:PassRole", "arn:aws:iam::333333333333:role/*"), to=(site.user(),)
        ),
        FALSE,
    ),
    "with MFA": (
        lambda site: site.policy("P", allow("iam:PassRole", Condition=MFA), to=(site.user(),)),
        CONDITIONAL,
    ),
    "to one service": (
        lambda site: site.policy("P", allow("iam:PassRole", Condition=TO_EC2), to=(site.user(),)),
        FALSE,
    ),
    "one role": (
        lambda site: site.policy("P", allow("iam:PassRole", f"{PREFIX}role/app"), to=(site.user(),)),
        FALSE,
    ),
    "unattached": (lambda site: site.policy("P", allow("iam:PassRole")), FALSE),
    "denied": (
        lambda site: site.policy(
            "P",
            allow("iam:PassRole"),
            {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"},
            to=(site.user(),),
        ),
        FALSE,
    ),
}
test_cases = cases_of(PassRoleOnEverything(), CASES)
