"""Cases of `trust-outside-account-without-external-id`."""

from __future__ import annotations

from iam.audit.findings.rules.trust_outside_account_without_external_id import (
    TrustOutsideAccountWithoutExternalId,
)
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    INSIDE,
    MFA,
    NUMBER,
    OUTSIDE,
    TRUE,
    Site,
    cases_of,
    trusts,
)


def own_organization(site: Site) -> None:
    site.scp(FULL)
    site.role("r", trusts("*", StringEquals={"aws:PrincipalOrgID": "o-inside0000"}))


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
    "with any external id": (
        lambda site: site.role("r", trusts({"AWS": OUTSIDE}, StringLike={"sts:ExternalId": "*"})),
        TRUE,
    ),
    "with part of an external id": (
        lambda site: site.role("r", trusts({"AWS": OUTSIDE}, StringLike={"sts:ExternalId": "x1-*"})),
        FALSE,
    ),
    "one of its roles by a condition": (
        lambda site: site.role(
            "r", trusts({"AWS": OUTSIDE}, ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{OUTSIDE}:role/x-*"})
        ),
        TRUE,
    ),
    "named by a condition on the account": (
        lambda site: site.role("r", trusts("*", StringEquals={"aws:PrincipalAccount": OUTSIDE})),
        TRUE,
    ),
    "named by a condition on the principal": (
        lambda site: site.role(
            "r", trusts("*", ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{OUTSIDE}:role/x-*"})
        ),
        TRUE,
    ),
    "named by a condition, with an external id": (
        lambda site: site.role(
            "r", trusts("*", StringEquals={"aws:PrincipalAccount": OUTSIDE, "sts:ExternalId": "x1"})
        ),
        FALSE,
    ),
    "named by a condition, inside": (
        lambda site: site.role("r", trusts("*", StringEquals={"aws:PrincipalAccount": INSIDE})),
        FALSE,
    ),
    "another organization": (
        lambda site: site.role("r", trusts("*", StringEquals={"aws:PrincipalOrgID": "o-other00000"})),
        TRUE,
    ),
    "a unit of another organization": (
        lambda site: site.role(
            "r",
            trusts("*", **{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-other00000/r-1/ou-2/*"}}),
        ),
        TRUE,
    ),
    "another organization, with an external id": (
        lambda site: site.role(
            "r", trusts("*", StringEquals={"aws:PrincipalOrgID": "o-other00000", "sts:ExternalId": "x1"})
        ),
        FALSE,
    ),
    "its own organization": (own_organization, FALSE),
    "all but one": (
        lambda site: site.role("r", trusts("*", StringNotEquals={"aws:PrincipalAccount": OUTSIDE})),
        FALSE,
    ),
    "inside": (lambda site: site.role("r", trusts({"AWS": INSIDE})), FALSE),
    "this account": (lambda site: site.role("r", trusts({"AWS": NUMBER})), FALSE),
}
test_cases = cases_of(TrustOutsideAccountWithoutExternalId(), CASES)
