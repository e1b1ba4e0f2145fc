"""How findings are put into words."""

from __future__ import annotations

import pytest

from console.findings.presenters import row_of
from iam.audit.findings.models import AuditFinding, FindingSeverity, FindingStatus
from tests import factories


@pytest.mark.parametrize(
    ("kind", "affected", "words"),
    [
        ("privilege-escalation", 0, ""),
        ("privilege-escalation", 1, "1 IAM user or role"),
        ("privilege-escalation", 1200, "1,200 IAM users and roles"),
        ("instance-role-can-escalate", 3, "3 EC2 instances"),
    ],
)
@pytest.mark.django_db
def test_a_finding_says_how_many_of_what_it_concerns(kind: str, affected: int, words: str) -> None:
    finding = AuditFinding(
        kind=kind,
        affected=affected,
        severity=FindingSeverity.HIGH,
        status=FindingStatus.OPEN,
        account=factories.account(),
    )
    assert row_of(finding, factories.viewer()).affected_words == words
