"""Cases of `inline-policy-on-user`."""

from __future__ import annotations

from iam.audit.findings.rules.inline_policy_on_user import InlinePolicyOnUser
from tests.iam.audit.findings.rules.site import FALSE, PREFIX, TRUE, Site, allow, cases_of


def own_user(site: Site) -> None:
    site.inlined(site.user("gatehouse"), "hub", allow("sts:AssumeRole"))
    site.own_users.add(f"{PREFIX}user/gatehouse")


CASES = {
    "inline": (lambda site: site.inlined(site.user(), "tools", allow("s3:GetObject")), TRUE),
    "inline of a role": (lambda site: site.inlined(site.role(), "tools", allow("s3:GetObject")), FALSE),
    "Gatehouse’s own user": (own_user, FALSE),
}
test_cases = cases_of(InlinePolicyOnUser(), CASES)
