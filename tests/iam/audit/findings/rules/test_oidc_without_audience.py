"""Cases of `oidc-without-audience`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.rules.oidc_without_audience import OidcWithoutAudience
from tests.iam.audit.findings.rules.site import FALSE, PREFIX, TRUE, cases_of, trusts

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = {"Federated": f"{PREFIX}oidc-provider/{ISSUER}"}
AUDIENCE = {f"{ISSUER}:aud": "sts.amazonaws.com"}


def github(**condition: Any) -> Any:
    trust = trusts(PROVIDER, action="sts:AssumeRoleWithWebIdentity", **condition)
    return lambda site: site.role("r", trust)


CASES = {
    "no audience": (github(StringEquals={f"{ISSUER}:sub": "repo:northline/pay:ref:refs/heads/main"}), TRUE),
    "an audience": (github(StringEquals=AUDIENCE), FALSE),
}
test_cases = cases_of(OidcWithoutAudience(), CASES)
