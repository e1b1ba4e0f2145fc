"""A row of work is claimed once, kept by its lease, found again after a lost nudge or worker, and always
ended.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from kombu.exceptions import OperationalError

from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts import worker_jobs
from iam.mirror.accounts.jobs import request_identity
from iam.mirror.accounts.run_jobs import sweep_jobs
from iam.mirror.accounts.tasks import run_setup_job
from iam.mirror.doctor.services import request_examination
from iam.mirror.doctor.tasks import examine_account
from iam.mirror.models import DoctorRun, SetupJob
from iam.mirror.models.setup import JobState, SetupKind
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
Sent = list[tuple[str, list[str]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the broker is told."""
    sent: Sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: sent.append((name, args)))
    return sent


def job(**fields: Any) -> SetupJob:
    return SetupJob.objects.create(kind=SetupKind.IDENTITY, **fields)


def test_only_one_worker_claims_a_row() -> None:
    row = job()
    first, second = worker_jobs.claim(SetupJob, row.pk), worker_jobs.claim(SetupJob, row.pk)
    assert first is not None
    assert second is None
    assert (first.state, first.attempts) == ("running", 1)
    assert first.lease_until is not None
    assert first.lease_until > datetime.now(tz=UTC)


def test_a_row_is_claimed_anew_when_its_lease_has_ended() -> None:
    row = job(state=JobState.RUNNING, lease_until=datetime.now(tz=UTC) - timedelta(seconds=1), attempts=1)
    again = worker_jobs.claim(SetupJob, row.pk)
    assert again is not None
    assert again.attempts == 2


def test_progress_keeps_the_row() -> None:
    row = worker_jobs.claim(SetupJob, job().pk)
    assert row is not None
    SetupJob.objects.update(lease_until=datetime.now(tz=UTC))
    worker_jobs.report_progress(row, phase="x" * 99, done=3, total=9)
    row.refresh_from_db()
    assert (row.phase, row.done, row.total) == ("x" * 64, 3, 9)
    assert row.lease_until is not None
    assert row.lease_until > datetime.now(tz=UTC) + timedelta(minutes=1)


def test_an_ended_row_is_not_ended_again() -> None:
    row = worker_jobs.claim(SetupJob, job().pk)
    assert row is not None
    assert worker_jobs.end(row, state=JobState.FAILED, message="No.")
    assert not worker_jobs.end(row, state=JobState.DONE)
    assert (row.state, row.message) == ("failed", "No.")


def test_a_commit_nudges_the_broker(sent: Sent, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        row = request_identity(actor=COMMAND_LINE)
        assert sent == []
    assert sent == [("iam.mirror.accounts.tasks.run_setup_job", [str(row.pk)])]


def test_a_broker_that_is_down_only_delays(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def down(*args: Any, **options: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(current_app, "send_task", down)
    with django_capture_on_commit_callbacks(execute=True):
        row = request_identity(actor=COMMAND_LINE)
    assert SetupJob.objects.get(pk=row.pk).state == JobState.QUEUED


def test_the_sweep_nudges_what_waits_and_what_a_dead_worker_left(sent: Sent) -> None:
    now = datetime.now(tz=UTC)
    fresh, forgotten = job(), job()
    SetupJob.objects.filter(pk=forgotten.pk).update(created_at=now - timedelta(minutes=1))
    left = job(state=JobState.RUNNING, lease_until=now - timedelta(seconds=1), attempts=1)
    kept = job(state=JobState.RUNNING, lease_until=now + timedelta(minutes=1), attempts=1)
    sweep_jobs()
    assert {args[0] for _, args in sent} == {str(forgotten.pk), str(left.pk)}
    assert str(fresh.pk) not in str(sent)
    assert str(kept.pk) not in str(sent)


def test_what_fails_three_times_is_given_up_with_a_sentence(sent: Sent) -> None:
    row = job(
        state=JobState.RUNNING, lease_until=datetime.now(tz=UTC) - timedelta(1), attempts=worker_jobs.ATTEMPTS
    )
    sweep_jobs()
    row.refresh_from_db()
    assert (row.state, row.message) == ("failed", worker_jobs.GAVE_UP)
    assert sent == []
    assert worker_jobs.claim(SetupJob, row.pk) is None


def test_old_jobs_are_forgotten() -> None:
    old, young = job(state=JobState.DONE), job(state=JobState.DONE)
    SetupJob.objects.filter(pk=old.pk).update(created_at=datetime.now(tz=UTC) - timedelta(days=31))
    sweep_jobs()
    assert list(SetupJob.objects.all()) == [young]


def test_a_question_that_was_just_asked_is_not_asked_again() -> None:
    first = request_identity(actor=COMMAND_LINE)
    assert request_identity(actor=COMMAND_LINE) == first
    SetupJob.objects.filter(pk=first.pk).update(state=JobState.FAILED)
    assert request_identity(actor=COMMAND_LINE) != first


def test_an_account_is_examined_once_at_a_time() -> None:
    account = factories.account()
    first = request_examination(account, actor=COMMAND_LINE)
    again = request_examination(account, actor=COMMAND_LINE, pull_after=True)
    assert again.pk == first.pk
    first.refresh_from_db()
    assert first.pull_after


@pytest.mark.parametrize(
    ("task", "make", "model", "target"),
    [
        (run_setup_job, job, SetupJob, "iam.mirror.accounts.run_jobs.find_identity"),
        (
            examine_account,
            lambda: DoctorRun.objects.create(account=factories.account()),
            DoctorRun,
            "iam.mirror.doctor.run.examine",
        ),
    ],
    ids=["job", "examination"],
)
def test_a_defect_ends_the_row(
    task: Any, make: Any, model: Any, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(target, broken)
    row = make()
    result = task.apply(args=[str(row.pk)])
    assert result.failed()
    row = model.objects.get(pk=row.pk)
    assert (row.state, row.message) == ("failed", worker_jobs.GAVE_UP)
