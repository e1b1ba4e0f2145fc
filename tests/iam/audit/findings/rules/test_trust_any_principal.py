"""Cases of `trust-any-principal`."""

from __future__ import annotations

from iam.audit.findings.rules.trust_any_principal import TrustAnyPrincipal
from tests.iam.audit.findings.rules.site import CONDITIONAL, FALSE, INSIDE, OUTSIDE, TRUE, cases_of, trusts

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
    "from every address": (
        lambda site: site.role("r", trusts("*", IpAddress={"aws:SourceIp": "0.0.0.0/0"})),
        TRUE,
    ),
    "a name of a role in any account": (
        lambda site: site.role(
            "r", trusts("*", ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/deploy-*"})
        ),
        TRUE,
    ),
    "the end of a name in any account": (
        lambda site: site.role("r", trusts("*", StringLike={"aws:PrincipalArn": "*:role/ci/deploy-?"})),
        TRUE,
    ),
    "a name of a role in one account": (
        lambda site: site.role(
            "r", trusts("*", ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{INSIDE}:role/*"})
        ),
        FALSE,
    ),
    "a name of a session": (
        lambda site: site.role("r", trusts("*", StringLike={"sts:RoleSessionName": "deploy-*"})),
        TRUE,
    ),
    "a tag of the session": (
        lambda site: site.role("r", trusts("*", StringEquals={"aws:RequestTag/team": "pay"})),
        TRUE,
    ),
    "a tag of the caller": (
        lambda site: site.role("r", trusts("*", StringEquals={"aws:PrincipalTag/team": "pay"})),
        TRUE,
    ),
    "an encrypted connection": (
        lambda site: site.role("r", trusts("*", Bool={"aws:SecureTransport": "true"})),
        TRUE,
    ),
    "MFA": (lambda site: site.role("r", trusts("*", Bool={"aws:MultiFactorAuthPresent": "true"})), TRUE),
    "a name of a session, within the organization": (
        lambda site: site.role(
            "r",
            trusts(
                "*",
                StringLike={"sts:RoleSessionName": "deploy-*"},
                StringEquals={"aws:PrincipalOrgID": "o-inside0000"},
            ),
        ),
        FALSE,
    ),
    "a name of a session from one network": (
        lambda site: site.role(
            "r",
            trusts(
                "*",
                StringLike={"sts:RoleSessionName": "deploy-*"},
                IpAddress={"aws:SourceIp": "192.0.2.0/24"},
            ),
        ),
        CONDITIONAL,
    ),
    "any external id": (
        lambda site: site.role("r", trusts("*", StringLike={"sts:ExternalId": "*"})),
        TRUE,
    ),
    "an external id": (
        lambda site: site.role("r", trusts("*", StringEquals={"sts:ExternalId": "x1"})),
        CONDITIONAL,
    ),
    "an account but one": (
        lambda site: site.role("r", trusts("*", StringNotEquals={"aws:PrincipalAccount": OUTSIDE})),
        TRUE,
    ),
    "an organization whose id starts so": (
        lambda site: site.role("r", trusts("*", StringLike={"aws:PrincipalOrgID": "o-*"})),
        TRUE,
    ),
    "denied to those of no organization": (
        lambda site: site.role(
            "r",
            trusts("*"),
            trusts("*", effect="Deny", StringNotEquals={"aws:PrincipalOrgID": "o-inside0000"}),
        ),
        FALSE,
    ),
    "denied": (lambda site: site.role("r", trusts("*"), trusts("*", effect="Deny")), FALSE),
    "a service": (lambda site: site.role(), FALSE),
}
test_cases = cases_of(TrustAnyPrincipal(), CASES)
