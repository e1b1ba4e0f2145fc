"""Cases of `administrator-role`."""

from __future__ import annotations

import pytest

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rules.administrator_role import AdministratorRole
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    INSIDE,
    NUMBER,
    OUTSIDE,
    TRUE,
    Site,
    allow,
    answer_of,
    cases_of,
    trusts,
)

NETWORK = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}

CASES = {
    "administrator": (lambda site: site.policy("Admin", FULL, to=(site.role(),)), TRUE),
    "only from one network": (
        lambda site: site.policy("Admin", FULL | {"Condition": NETWORK}, to=(site.role(),)),
        CONDITIONAL,
    ),
    "less": (lambda site: site.policy("Some", allow("s3:*"), to=(site.role(),)), FALSE),
    "Gatehouse’s own": (lambda site: site.policy("Admin", FULL, to=(site.role("gatehouse-writer"),)), FALSE),
}
test_cases = cases_of(AdministratorRole(), CASES)


@pytest.mark.parametrize(
    ("principal", "condition", "severity"),
    [
        ({"AWS": NUMBER}, {}, FindingSeverity.MEDIUM),
        ({"AWS": INSIDE}, {}, FindingSeverity.MEDIUM),
        ({"AWS": OUTSIDE}, {}, FindingSeverity.HIGH),
        ({"AWS": OUTSIDE}, {"StringEquals": {"sts:ExternalId": "x1"}}, FindingSeverity.HIGH),
        ("*", {"StringEquals": {"aws:PrincipalAccount": OUTSIDE}}, FindingSeverity.HIGH),
        ("*", {"StringEquals": {"aws:PrincipalAccount": INSIDE}}, FindingSeverity.MEDIUM),
        ({"Service": "ec2.amazonaws.com"}, {}, FindingSeverity.HIGH),
    ],
)
def test_a_role_that_machines_or_outsiders_assume_is_worse(
    principal: object, condition: dict[str, object], severity: FindingSeverity
) -> None:
    category = "service:ec2" if "Service" in str(principal) else "cross-account"

    def build(site: Site) -> None:
        role = site.role("admin", trusts(principal, **condition), category=category)
        site.policy("Admin", FULL, to=(role,))

    _, computed = answer_of(AdministratorRole(), build)
    (finding,) = computed.findings.values()
    assert finding.values["severity"] == severity
    assert (finding.values["evidence"].get("account") == OUTSIDE) is (OUTSIDE in str((principal, condition)))
