"""IAM’s reports of when services were last used: requested once, read by a worker, tried again, stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from django.utils import timezone

from iam.activity.sources import services_reports
from iam.activity.sources.models import ReportState, ServicesReport
from iam.activity.sources.services_reports import (
    MOST_ATTEMPTS,
    due_reports,
    read_report,
    request_report,
    request_weekly,
)
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.last_accessed import AccessedService
from iam.mirror.models import Entity
from iam.mirror.pull.reach import UnreachableError
from tests import factories
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db
S3: Final = AccessedService("s3", "Amazon S3", datetime(2026, 11, 1, tzinfo=UTC), "eu-west-1")
SQS: Final = AccessedService("sqs", "Amazon SQS", None, "")


class FakeIam:
    """Answers after so many questions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self.questions_until_done = 1
        self.error: AwsError | None = None
        self.closed = 0
        monkeypatch.setattr(services_reports, "begin_report", self._begin)
        monkeypatch.setattr(services_reports, "accessed_services", self._answer)
        monkeypatch.setattr(services_reports, "send_after_commit", lambda *_: None)

    def _begin(self, _: Any, *, arn: str) -> str:
        self.begun.append(arn)
        return "job-1"

    def _answer(self, _: Any, *, job_id: str) -> tuple[AccessedService, ...] | None:
        assert job_id == "job-1"
        if self.error:
            raise self.error
        self.questions_until_done -= 1
        return (S3, SQS) if self.questions_until_done <= 0 else None

    def close(self) -> None:
        self.closed += 1

    def read(self, report: ServicesReport) -> ServicesReport:
        """A worker reads it, with no pause."""
        read_report(report.pk, open_way=lambda _: self, sleep=lambda _: None)
        report.refresh_from_db()
        return report


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> FakeIam:
    return FakeIam(monkeypatch)


@pytest.fixture
def user() -> Entity:
    return factories.user(factories.account(), "maya")


def test_a_report_is_stored_with_its_time(iam: FakeIam, user: Entity) -> None:
    report = iam.read(request_report(user, requested_by="Ines"))
    assert (report.state, report.error, iam.begun, iam.closed) == (ReportState.DONE, "", [user.arn], 1)
    assert report.read_at is not None
    assert timezone.now() - report.read_at < timedelta(minutes=5)
    assert [(row["prefix"], row["at"]) for row in report.services] == [
        ("s3", "2026-11-01T00:00:00+00:00"),
        ("sqs", None),
    ]


def test_two_requests_are_one_report_and_a_finished_one_is_read_again(iam: FakeIam, user: Entity) -> None:
    first, second = (request_report(user, requested_by="Ines") for _ in range(2))
    assert first.pk == second.pk
    assert due_reports(timezone.now()) == [first.pk]
    iam.read(first)
    iam.read(first)
    assert len(iam.begun) == 1
    assert due_reports(timezone.now()) == []
    again = request_report(user, requested_by="Hana")
    assert (again.state, again.requested_by, len(again.services)) == (ReportState.WAITING, "Hana", 2)
    iam.read(again)
    assert len(iam.begun) == 2


def test_what_is_not_ready_is_asked_for_again_and_given_up_at_last(iam: FakeIam, user: Entity) -> None:
    report = request_report(user, requested_by="")
    iam.questions_until_done = 1_000
    for _ in range(MOST_ATTEMPTS - 1):
        assert iam.read(report).state == ReportState.READING
        assert due_reports(timezone.now()) == [report.pk]
    assert iam.read(report).state == ReportState.FAILED
    assert report.error == "IAM didn’t finish the report."
    assert len(iam.begun) == 1


def test_a_denied_read_says_which_permission_is_missing_and_keeps_what_was_known(
    iam: FakeIam, user: Entity
) -> None:
    report = iam.read(request_report(user, requested_by=""))
    request_report(user, requested_by="")
    action = "iam:GetServiceLastAccessedDetails"
    iam.error = AwsError("Not allowed", kind=ErrorKind.DENIED, action=action)
    assert iam.read(report).error == f"{action}: Not allowed"
    assert len(report.services) == 2


def test_an_account_that_is_not_connected_is_said(iam: FakeIam, user: Entity) -> None:
    report = request_report(user, requested_by="")

    def closed(_: object) -> Any:
        raise UnreachableError("production isn’t connected.")

    read_report(report.pk, open_way=closed)
    report.refresh_from_db()
    assert (report.state, report.error) == (ReportState.FAILED, "production isn’t connected.")


def test_another_worker_and_an_unknown_report_do_nothing(iam: FakeIam, user: Entity) -> None:
    report = request_report(user, requested_by="")
    ServicesReport.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    iam.read(report)
    read_report(uuid4(), open_way=lambda _: iam)
    assert iam.begun == []


def test_users_of_accounts_without_events_are_read_every_week(iam: FakeIam, user: Entity) -> None:
    other = factories.user(factories.account("222222222222", name="staging"), "tomas")
    happened(identity_of(other))
    now = timezone.now()
    assert request_weekly(now) == 1
    assert ServicesReport.objects.get().entity == user
    assert request_weekly(now + timedelta(days=6)) == 0
    iam.read(ServicesReport.objects.get())
    assert request_weekly(now + timedelta(days=8)) == 1
