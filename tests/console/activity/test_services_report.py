"""What IAM says of the last use of services, on the page of activity and that of least privilege."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from iam.activity.sources import services_reports
from iam.activity.sources.models import ReportState, ServicesReport
from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db
BUTTON = "Read from IAM when services were last used"


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    sent: list[Any] = []
    monkeypatch.setattr(services_reports, "send_after_commit", lambda *args: sent.append(args))
    return sent


@pytest.fixture
def account() -> Account:
    return factories.account()


@pytest.fixture
def user(account: Account) -> Entity:
    user = factories.user(account, "maya")
    body = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "sqs:SendMessage"], "Resource": "*"}],
    }
    factories.edge(EdgeKind.ATTACHED, user, factories.policy(account, "Tools", body=body))
    return user


def signed_in(role: Role, **fields: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, **fields))
    return client


def page(client: Client, user: Entity, address: str = "/people/{}/activity/") -> str:
    answer = client.get(address.format(user.pk))
    assert answer.status_code == 200
    return answer.content.decode()


def read(user: Entity, *, ago: int = 1, used: int = 10) -> None:
    """IAM was asked so many days ago: S3 was used, SQS was not."""
    now = timezone.now()
    at = (now - timedelta(days=used)).isoformat()
    services = [
        {"prefix": "s3", "name": "Amazon S3", "at": at, "region": "eu-west-1"},
        {"prefix": "sqs", "name": "Amazon SQS", "at": None, "region": ""},
    ]
    ServicesReport.objects.create(
        entity=user,
        account=user.account,
        state=ReportState.DONE,
        requested_at=now,
        read_at=now - timedelta(days=ago),
        services=services,
    )


def test_an_administrator_has_it_read(user: Entity, nudges: list[Any]) -> None:
    client = signed_in(Role.ADMINISTRATOR)
    before = page(client, user)
    assert BUTTON in before
    assert "which services were used is unknown" in before
    answer = client.post(f"/activity/services/{user.pk}/read/")
    assert (answer.status_code, answer["Location"]) == (302, f"/people/{user.pk}/activity/")
    report = ServicesReport.objects.get()
    assert (report.entity, report.state, report.requested_by) == (user, ReportState.WAITING, "Ines Duarte")
    assert nudges == [(services_reports.READ_REPORT, report.pk)]
    waiting = page(client, user)
    assert "IAM makes the report" in waiting
    assert BUTTON not in waiting


@pytest.mark.parametrize("has_events", [False, True])
def test_an_auditor_sees_what_was_read_and_requests_nothing(user: Entity, has_events: bool) -> None:
    client = signed_in(Role.AUDITOR)
    assert "Services, by IAM" not in page(client, user)
    read(user)
    if has_events:
        happened(identity_of(user))
    shown = page(client, user)
    assert "Services, by IAM" in shown
    assert "Amazon S3" in shown
    assert "1 allowed and not used" in shown
    assert BUTTON not in shown
    assert client.post(f"/activity/services/{user.pk}/read/").status_code == 404


def test_a_member_sees_their_own_and_no_button(user: Entity) -> None:
    read(user)
    client = signed_in(Role.MEMBER, arns=(user.arn,))
    shown = page(client, user)
    assert "Amazon S3" in shown
    assert BUTTON not in shown
    assert client.post(f"/activity/services/{user.pk}/read/").status_code == 404
    other = factories.user(user.account, "tomas")
    assert client.get(f"/people/{other.pk}/activity/").status_code == 404


def test_why_a_reading_failed_is_said(user: Entity) -> None:
    read(user)
    ServicesReport.objects.update(state=ReportState.FAILED, error="iam:GenerateX: not allowed")
    shown = page(signed_in(Role.ADMINISTRATOR), user)
    assert "The last request failed. iam:GenerateX: not allowed" in shown
    assert "Amazon S3" in shown


def test_least_privilege_rests_on_it_where_no_trail_is_known(user: Entity) -> None:
    client = signed_in(Role.AUDITOR)
    address = "/access/least-privilege/{}/"
    assert "what was used there is unknown" in page(client, user, address)
    read(user)
    shown = page(client, user, address)
    assert "by IAM" in shown
    assert "No CloudTrail events of this account are known" in shown
    assert "s3:Get*" in shown
    assert "sqs:SendMessage" not in shown


def test_least_privilege_takes_no_old_report(user: Entity) -> None:
    read(user, ago=20)
    shown = page(signed_in(Role.AUDITOR), user, "/access/least-privilege/{}/")
    assert "what was used there is unknown" in shown


def test_a_service_that_was_used_before_the_period_is_removed(user: Entity) -> None:
    read(user, used=200)
    shown = page(signed_in(Role.AUDITOR), user, "/access/least-privilege/{}/")
    assert "no policy is needed" in shown
