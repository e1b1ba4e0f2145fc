"""Cases of `oidc-any-branch`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.rules.oidc_any_branch import OidcAnyBranch
from tests.iam.audit.findings.rules.site import FALSE, PREFIX, TRUE, cases_of, trusts

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = {"Federated": f"{PREFIX}oidc-provider/{ISSUER}"}
AUDIENCE = {f"{ISSUER}:aud": "sts.amazonaws.com"}


def github(**condition: Any) -> Any:
    trust = trusts(PROVIDER, action="sts:AssumeRoleWithWebIdentity", **condition)
    return lambda site: site.role("r", trust)


CASES = {
    "every branch": (github(StringLike={f"{ISSUER}:sub": "repo:northline/pay:*"}), TRUE),
    "branches only": (github(StringLike={f"{ISSUER}:sub": "repo:northline/pay:ref:refs/heads/*"}), FALSE),
    "one branch": (github(StringEquals={f"{ISSUER}:sub": "repo:northline/pay:ref:refs/heads/main"}), FALSE),
}
test_cases = cases_of(OidcAnyBranch(), CASES)
