"""Cases of `oidc-without-subject`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.rules.oidc_without_subject import OidcWithoutSubject
from tests.iam.audit.findings.rules.site import CONDITIONAL, FALSE, PREFIX, TRUE, cases_of, trusts

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = {"Federated": f"{PREFIX}oidc-provider/{ISSUER}"}
AUDIENCE = {f"{ISSUER}:aud": "sts.amazonaws.com"}


def github(**condition: Any) -> Any:
    trust = trusts(PROVIDER, action="sts:AssumeRoleWithWebIdentity", **condition)
    return lambda site: site.role("r", trust)


CASES = {
    "no subject": (github(StringEquals=AUDIENCE), TRUE),
    "every subject": (github(StringLike={f"{ISSUER}:sub": "*"}), TRUE),
    "one repository": (github(StringLike={f"{ISSUER}:sub": "repo:northline/pay:*"}), FALSE),
    "another claim": (github(StringEquals={f"{ISSUER}:repository": "northline/pay"}), FALSE),
    "from one network": (github(IpAddress={"aws:SourceIp": "192.0.2.0/24"}), CONDITIONAL),
}
test_cases = cases_of(OidcWithoutSubject(), CASES)
