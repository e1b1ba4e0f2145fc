"""Cases of `trust-outside-account-without-external-id`."""

from __future__ import annotations

from iam.audit.findings.rules.trust_outside_account_without_external_id import (
    TrustOutsideAccountWithoutExternalId,
)
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    INSIDE,
    MFA,
    NUMBER,
    OUTSIDE,
    TRUE,
    cases_of,
    trusts,
)

CASES = {
    "an account": (lambda site: site.role("r", trusts({"AWS": OUTSIDE})), TRUE),
    "one of its roles": (
        lambda site: site.role("r", trusts({"AWS": f"arn:aws:iam::{OUTSIDE}:role/x"})),
        TRUE,
    ),
    "with MFA": (lambda site: site.role("r", trusts({"AWS": OUTSIDE}, **MFA)), CONDITIONAL),
    "with an external id": (
        lambda site: site.role("r", trusts({"AWS": OUTSIDE}, StringEquals={"sts:ExternalId": "x1"})),
        FALSE,
    ),
    "inside": (lambda site: site.role("r", trusts({"AWS": INSIDE})), FALSE),
    "this account": (lambda site: site.role("r", trusts({"AWS": NUMBER})), FALSE),
}
test_cases = cases_of(TrustOutsideAccountWithoutExternalId(), CASES)
