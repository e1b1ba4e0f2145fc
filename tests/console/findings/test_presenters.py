"""How findings are put into words."""

from __future__ import annotations

from uuid import UUID

import pytest

from console.findings.presenters import evidence_of, fix_links, row_of
from iam.audit.findings.models import AuditFinding, FindingSeverity, FindingStatus
from iam.directory.models import Role
from iam.guard import viewer_for
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


@pytest.mark.django_db
def test_evidence_is_written_in_words_and_dates_as_everywhere() -> None:
    finding = AuditFinding(
        kind="password-policy-weak",
        severity=FindingSeverity.MEDIUM,
        status=FindingStatus.OPEN,
        account=factories.account(),
        evidence={
            "password_policy": {"minimum_length": 8, "requires_numbers": False, "maximum_age": None},
            "mfa": False,
            "trusted": "cross-account",
            "keys": [{"key": "AKIA1", "created": "2026-05-03T10:00:00+00:00", "last_used": None}],
        },
    )
    shown = evidence_of(finding, factories.viewer())
    lines = {line.label: line.items or line.text for line in shown}
    assert lines == {
        "Password policy": ("Minimum length: 8", "Requires numbers: No", "Maximum age: Not set"),
        "MFA": "None",
        "Trusted": "Another account",
        "Access keys": ("AKIA1, created 3 May 2026, no use known",),
    }
    assert not [line for line in shown if line.code]


@pytest.mark.parametrize(
    ("role", "label"), [(Role.ADMINISTRATOR, "End grant"), (Role.APPROVER, "End grant"), (Role.AUDITOR, "")]
)
@pytest.mark.django_db
def test_a_grant_is_ended_on_its_page_by_those_who_may(role: Role, label: str) -> None:
    finding = AuditFinding(
        kind="grant-not-used",
        severity=FindingSeverity.LOW,
        status=FindingStatus.OPEN,
        account=factories.account(),
        fix={"page": "grant", "policy": str(UUID(int=7))},
    )
    links = fix_links(finding, factories.viewer(role))
    assert [link.label for link in links] == [label] * bool(label)
    assert all(link.url.endswith(f"/{UUID(int=7)}/end/") for link in links)


@pytest.mark.django_db
def test_who_approves_in_one_account_only_is_led_to_the_page_of_the_grant() -> None:
    account = factories.account()
    finding = AuditFinding(
        kind="grant-not-used",
        severity=FindingSeverity.LOW,
        status=FindingStatus.OPEN,
        account=account,
        fix={"page": "grant", "policy": str(UUID(int=7))},
    )
    person = factories.person("ada")
    factories.assign(person, Role.ADMINISTRATOR, account_id=account.account_id)
    (link,) = fix_links(finding, viewer_for(person))
    assert (link.label, link.url.endswith(f"/{UUID(int=7)}/")) == ("Open grant", True)
