"""How findings are put into words."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from console.findings.presenters import evidence_of, fix_links, record_url, row_of
from iam.audit.findings.models import AuditFinding, FindingSeverity, FindingStatus
from iam.audit.findings.values import values_of
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


@pytest.mark.parametrize(("is_hidden", "address"), [(False, "198.51.100.24"), (True, "Hidden")])
@pytest.mark.django_db
def test_an_address_from_which_a_key_was_used_is_shown_unless_the_setting_hides_it(
    settings: Settings, *, is_hidden: bool, address: str
) -> None:
    """On the page, and in files."""
    settings.ACTIVITY_HIDE_ADDRESSES = is_hidden
    place = {
        "key": "AKIA1",
        "address": "198.51.100.24",
        "instances": ["i-1", "i-2", "i-3"],
        "more_instances": 2,
        "calls": 1312,
        "first": "2026-05-03T10:00:00+00:00",
        "last": "2026-06-09T10:00:00+00:00",
    }
    on_a_day = place | {"instances": ["i-1"], "more_instances": 0, "calls": 1, "last": place["first"]}
    finding = AuditFinding(
        kind="key-used-from-instance",
        severity=FindingSeverity.MEDIUM,
        status=FindingStatus.OPEN,
        account=factories.account(),
        evidence={"used_from": [place, on_a_day]},
        reasons=[],
        first_seen=timezone.now(),
        last_seen=timezone.now(),
    )
    (shown,) = evidence_of(finding, factories.viewer())
    assert (shown.label, shown.items) == (
        "Used from",
        (
            f"AKIA1 from {address} (i-1, i-2, i-3 and 2 more): 1,312 calls from 3 May 2026 to 9 Jun 2026",
            f"AKIA1 from {address} (i-1): 1 call on 3 May 2026",
        ),
    )
    values = values_of(finding, last_seen=timezone.now())
    assert [use["address"] for use in values["evidence"]["used_from"]] == [address, address]


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


@pytest.mark.parametrize(
    ("page", "address"), [("grant", "/grants/{}/"), ("assertion", "/findings/assertions/{}/"), ("role", "")]
)
@pytest.mark.django_db
def test_the_grant_or_assertion_is_linked_for_those_who_request_nothing(page: str, address: str) -> None:
    finding = AuditFinding(account=factories.account(), fix={"page": page, "policy": str(UUID(int=7))})
    assert record_url(finding, factories.viewer(Role.AUDITOR)) == address.format(UUID(int=7))


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("grant-not-used", ("Period", "Last 90 days")),
        ("services-unused-90-days", ("Period", "Last 90 days")),
        ("password-unused-90-days", ("Days", "90")),
    ],
)
@pytest.mark.django_db
def test_a_period_that_was_looked_at_is_not_said_to_be_how_long_something_lasts(
    kind: str, line: tuple[str, str]
) -> None:
    finding = AuditFinding(kind=kind, account=factories.account(), evidence={"days": 90})
    (shown,) = evidence_of(finding, factories.viewer())
    assert (shown.label, shown.text) == line


@pytest.mark.parametrize(
    ("holders", "labels"),
    [
        (["arn:aws:iam::aws:policy/AdministratorAccess"], ["Show what closes it"]),
        (
            ["arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::111111111111:policy/Tune"],
            ["Close path", "Show what closes it"],
        ),
    ],
)
@pytest.mark.django_db
def test_a_path_that_only_policies_of_aws_open_is_closed_on_its_page(
    holders: list[str], labels: list[str]
) -> None:
    finding = AuditFinding(
        pk=7,
        kind="privilege-escalation",
        status=FindingStatus.OPEN,
        account=factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer"),
        evidence={"statements": [{"holder": holder} for holder in holders]},
        fix={"page": "escalation", "policy": "446c7630b229"},
    )
    links = fix_links(finding, factories.viewer(Role.ADMINISTRATOR))
    assert [link.label for link in links] == labels
