"""Cases of `saml-without-audience`."""

from __future__ import annotations

from iam.audit.findings.rules.saml_without_audience import SamlWithoutAudience
from tests.iam.audit.findings.rules.site import FALSE, PREFIX, TRUE, cases_of, trusts

PROVIDER = {"Federated": f"{PREFIX}saml-provider/Okta"}
ACTION = "sts:AssumeRoleWithSAML"
AUDIENCE = {"SAML:aud": "https://signin.aws.amazon.com/saml"}

CASES = {
    "no audience": (lambda site: site.role("r", trusts(PROVIDER, action=ACTION)), TRUE),
    "an audience": (
        lambda site: site.role("r", trusts(PROVIDER, action=ACTION, StringEquals=AUDIENCE)),
        FALSE,
    ),
}
test_cases = cases_of(SamlWithoutAudience(), CASES)
