"""Cases of `delegation-request-accepted`."""

from __future__ import annotations

from typing import Any

import pytest

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rules.delegation_request_accepted import DelegationRequestAccepted
from tests.iam.audit.findings.rules.delegation_cases import delegation, unsynced
from tests.iam.audit.findings.rules.site import FALSE, FULL, TRUE, UNREAD, allow, answer_of, cases_of

CASES = {
    "accepted": (delegation("ACCEPTED"), TRUE),
    "token sent": (delegation("FINALIZED"), TRUE),
    "over": (delegation("FINALIZED", ends=0.1), FALSE),
    "waits": (delegation("PENDING_APPROVAL"), FALSE),
    "rejected": (delegation("REJECTED"), FALSE),
    "expired": (delegation("EXPIRED"), FALSE),
    "none": (lambda site: site.user(), FALSE),
    "not synced": (unsynced, UNREAD),
}
test_cases = cases_of(DelegationRequestAccepted(), CASES)
NOT_S3 = {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("statement", "severity"),
    [
        (allow("s3:*"), FindingSeverity.MEDIUM),
        (allow(["iam:GetRole", "iam:List*"]), FindingSeverity.MEDIUM),
        (allow(["ec2:Describe*", "iam:CreateRole"]), FindingSeverity.HIGH),
        (allow("IAM:*"), FindingSeverity.HIGH),
        (FULL, FindingSeverity.HIGH),
        (NOT_S3, FindingSeverity.HIGH),
    ],
)
def test_what_gives_administration_is_worse(statement: dict[str, Any], severity: FindingSeverity) -> None:
    _, computed = answer_of(DelegationRequestAccepted(), delegation("FINALIZED", statement))
    [finding] = computed.findings.values()
    assert finding.values["severity"] == severity
