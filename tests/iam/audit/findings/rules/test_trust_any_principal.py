"""Cases of `trust-any-principal`."""

from __future__ import annotations

from iam.audit.findings.rules.trust_any_principal import TrustAnyPrincipal
from tests.iam.audit.findings.rules.site import CONDITIONAL, FALSE, INSIDE, TRUE, cases_of, trusts

CASES = {
    "anybody": (lambda site: site.role("r", trusts("*")), TRUE),
    "anybody by AWS": (lambda site: site.role("r", trusts({"AWS": "*"})), TRUE),
    "the organization": (
        lambda site: site.role("r", trusts("*", StringEquals={"aws:PrincipalOrgID": "o-inside0000"})),
        FALSE,
    ),
    "one account": (
        lambda site: site.role("r", trusts("*", StringEquals={"aws:PrincipalAccount": INSIDE})),
        FALSE,
    ),
    "from one network": (
        lambda site: site.role("r", trusts("*", IpAddress={"aws:SourceIp": "192.0.2.0/24"})),
        CONDITIONAL,
    ),
    "denied": (lambda site: site.role("r", trusts("*"), trusts("*", effect="Deny")), FALSE),
    "a service": (lambda site: site.role(), FALSE),
}
test_cases = cases_of(TrustAnyPrincipal(), CASES)
