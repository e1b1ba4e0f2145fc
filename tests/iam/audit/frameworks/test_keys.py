"""Requirement 8.6.2: from how many networks the keys of application accounts are used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from iam.activity.callers import USER
from iam.activity.models import CallerAddress, TrailCaller
from iam.activity.sources.covered_accounts import CoverageGrade
from iam.audit.findings.facts import KeyFact
from iam.audit.frameworks import evidence_reader
from iam.audit.frameworks.checks.keys import MOST_NETWORKS, networks_of
from iam.audit.frameworks.evidence_reader import records_of
from iam.audit.frameworks.terms import RequirementState as State
from tests import factories
from tests.iam.audit.findings.rules.site import days
from tests.iam.audit.frameworks.organization import Organization

KEY = (KeyFact(1, days(20), days(3), "AKIAEXAMPLE"),)


def application(organization: Organization, networks: int | None, **fields: Any) -> str:
    """A user with a key and no password, who called from so many networks; its ARN."""
    number = organization.site.user("deployer", **{"password": False, "keys": KEY} | fields)
    user = organization.site.entities[number]
    if networks is not None:
        addresses = frozenset(f"198.51.{place}.7" for place in range(networks))
        organization.records["networks"] = {user.aws_id: addresses}
        organization.records["are_networks_complete"] = True
    return user.arn


def test_many_networks_fail_whatever_was_attested() -> None:
    organization = Organization()
    arn = application(organization, MOST_NETWORKS + 1)
    result = organization.results()["8.6.2"]
    assert result.state is State.FAILED
    assert result.failing == (f"key-networks:{arn}",)
    assert "called from more than 4 networks in 30 days" in result.reason


def test_few_networks_pass_with_an_attestation_and_need_a_person_without() -> None:
    organization = Organization()
    application(organization, MOST_NETWORKS)
    assert organization.results()["8.6.2"].state is State.PASSED
    organization.decisions["8.6.2"] = []
    assert organization.results()["8.6.2"].state is State.PERSON


def test_unknown_activity_needs_a_person() -> None:
    organization = Organization()
    application(organization, None)
    organization.decisions["8.6.2"] = []
    result = organization.results()["8.6.2"]
    assert result.state is State.PERSON
    assert "isn’t known" in str(result.reasons)


def test_few_networks_of_events_that_may_not_be_all_need_a_person() -> None:
    organization = Organization()
    application(organization, MOST_NETWORKS)
    organization.records["are_networks_complete"] = False
    organization.decisions["8.6.2"] = []
    assert "Some of CloudTrail’s events may be missing" in str(organization.results()["8.6.2"].reasons)


def test_people_with_passwords_travel() -> None:
    organization = Organization()
    application(organization, 50, password=True, used=days(3))
    assert organization.results()["8.6.2"].state is State.PASSED


def test_unread_credentials_are_unknown() -> None:
    organization = Organization()
    application(organization, 1, password=None)
    assert organization.results()["8.6.2"].state is not State.PASSED


def test_networks_are_counted_and_services_of_aws_are_none() -> None:
    addresses = ["198.51.100.1", "198.51.100.200", "198.51.101.1", "2001:db8:1::1", "2001:db8:1:2::1"]
    assert networks_of([*addresses, "cloudformation.amazonaws.com", "AWS Internal", ""]) == {
        "198.51.100.0/24",
        "198.51.101.0/24",
        "2001:db8:1::/48",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("coverage", CoverageGrade)
def test_addresses_are_those_of_users_in_the_last_30_days(
    monkeypatch: pytest.MonkeyPatch, coverage: CoverageGrade
) -> None:
    def covered(numbers: list[str], **_: Any) -> dict[str, CoverageGrade]:
        return dict.fromkeys(numbers, coverage)

    account = factories.account()
    now = timezone.now()
    assert records_of(account, now=now).networks is None
    monkeypatch.setattr(evidence_reader, "covered_accounts", covered)
    caller = TrailCaller.objects.create(
        kind=USER, account_id=account.account_id, unique_id="AIDAX", digest="a" * 32
    )
    for days_ago, address in ((3, "198.51.100.1"), (31, "203.0.113.1")):
        moment = now - timedelta(days=days_ago)
        CallerAddress.objects.create(caller=caller, address=address, calls=1, first_at=moment, last_at=moment)
    assert records_of(account, now=now).networks == {"AIDAX": frozenset({"198.51.100.1"})}
    assert records_of(account, now=now).are_networks_complete is (coverage is CoverageGrade.COMPLETE)
    assert records_of(account, now=now, is_past=True).networks is None
