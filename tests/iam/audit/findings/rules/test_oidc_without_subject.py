"""Cases of `oidc-without-subject`."""

from __future__ import annotations

from typing import Any

import pytest

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rules.oidc_without_subject import OidcWithoutSubject
from tests.iam.audit.findings.rules.site import CONDITIONAL, FALSE, PREFIX, TRUE, answer_of, cases_of, trusts

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = {"Federated": f"{PREFIX}oidc-provider/{ISSUER}"}
AUDIENCE = {f"{ISSUER}:aud": "sts.amazonaws.com"}


def github(**condition: Any) -> Any:
    trust = trusts(PROVIDER, action="sts:AssumeRoleWithWebIdentity", **condition)
    return lambda site: site.role("r", trust)


def of(issuer: str, **condition: Any) -> Any:
    provider = {"Federated": f"{PREFIX}oidc-provider/{issuer}"}
    return lambda site: site.role("r", trusts(provider, action="sts:AssumeRoleWithWebIdentity", **condition))


def subject(issuer: str, *patterns: str) -> Any:
    return of(issuer, StringLike={f"{issuer}:sub": list(patterns)})


GITLAB, TERRAFORM = "gitlab.com", "app.terraform.io"
OWN_GITLAB = "gitlab.northline.example"
EKS = "oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF0123456789ABCDEF0123456789"

CASES = {
    "no subject": (github(StringEquals=AUDIENCE), TRUE),
    "every subject": (github(StringLike={f"{ISSUER}:sub": "*"}), TRUE),
    "one repository": (github(StringLike={f"{ISSUER}:sub": "repo:northline/pay:*"}), FALSE),
    "every repository": (subject(ISSUER, "repo:*"), TRUE),
    "an owner by the start of its name": (subject(ISSUER, "repo:north*/pay:ref:refs/heads/main"), TRUE),
    "an owner with one more letter": (subject(ISSUER, "repo:northlin?/pay:ref:refs/heads/main"), TRUE),
    "an owner by the start of its name, and nothing more": (subject(ISSUER, "repo:north*"), TRUE),
    "a branch of every repository": (subject(ISSUER, "repo:*:ref:refs/heads/main"), TRUE),
    "a branch of whatever": (subject(ISSUER, "*:ref:refs/heads/main"), TRUE),
    "one repository or a branch of every one": (
        subject(ISSUER, "repo:northline/pay:ref:refs/heads/main", "repo:*:ref:refs/heads/main"),
        TRUE,
    ),
    "every repository of one owner": (subject(ISSUER, "repo:northline/*"), FALSE),
    "a pattern that no subject has": (subject(ISSUER, "repository:*"), FALSE),
    "a pattern where none works": (
        of(ISSUER, StringEquals={f"{ISSUER}:sub": "repo:north*/pay:ref:refs/heads/main"}),
        FALSE,
    ),
    "every project of GitLab": (subject(GITLAB, "project_path:*"), TRUE),
    "a group of GitLab by the start of its name": (
        subject(GITLAB, "project_path:north*/pay:ref_type:branch:ref:main"),
        TRUE,
    ),
    "a branch of every project of GitLab": (subject(GITLAB, "project_path:*:ref_type:branch:ref:main"), TRUE),
    "a group of GitLab": (subject(GITLAB, "project_path:northline/*:ref_type:branch:ref:main"), FALSE),
    "every project of an own GitLab": (subject(OWN_GITLAB, "project_path:*"), TRUE),
    "a group of an own GitLab by the start of its name": (
        subject(OWN_GITLAB, "project_path:north*/pay:ref_type:branch:ref:main"),
        FALSE,
    ),
    "every organization of HCP Terraform": (
        subject(TERRAFORM, "organization:*:project:*:workspace:*:run_phase:*"),
        TRUE,
    ),
    "an organization of HCP Terraform": (
        subject(TERRAFORM, "organization:northline:project:*:workspace:*:run_phase:*"),
        FALSE,
    ),
    "every service account of a cluster": (subject(EKS, "system:serviceaccount:*:*"), TRUE),
    "one service account of a cluster": (subject(EKS, "system:serviceaccount:pay:api"), FALSE),
    "another claim": (github(StringEquals={f"{ISSUER}:repository": "northline/pay"}), FALSE),
    "from one network": (github(IpAddress={"aws:SourceIp": "192.0.2.0/24"}), CONDITIONAL),
}
test_cases = cases_of(OidcWithoutSubject(), CASES)


@pytest.mark.parametrize(
    ("issuer", "severity"),
    [
        (ISSUER, FindingSeverity.CRITICAL),
        (GITLAB, FindingSeverity.CRITICAL),
        (TERRAFORM, FindingSeverity.CRITICAL),
        (EKS, FindingSeverity.HIGH),
    ],
)
def test_an_issuer_for_everyone_is_critical(issuer: str, severity: FindingSeverity) -> None:
    _, computed = answer_of(OidcWithoutSubject(), of(issuer))
    (finding,) = computed.findings.values()
    assert finding.values["severity"] == severity
