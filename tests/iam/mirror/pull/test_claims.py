"""Queued, claimed, lost, cancelled, forgotten and due: one pull at a time per account, whatever happens to
workers and broker.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django.fixtures import Settings

from iam import nudge
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from iam.mirror.models import Account, Entity, Pull
from iam.mirror.models.accounts import PullState
from iam.mirror.pull import authorization
from iam.mirror.pull.progress import LEASE, PullLeaseLostError, PullProgress, claim
from iam.mirror.services import cancel_pull, pull_due_accounts, request_pull, run_pull
from iam.mirror.services.pulls import NotPullableError
from tests import factories
from tests.bench.fakeaws.world import World

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the pulls that the broker was told of."""
    nudges: list[str] = []

    def send(name: str, *, args: list[str], retry: bool, **_: object) -> None:
        assert (name, retry) == ("iam.mirror.tasks.run_pull", False)
        nudges.extend(args)

    monkeypatch.setattr(nudge.current_app, "send_task", send)
    return nudges


def test_asking_twice_gives_the_same_pull(db: None) -> None:
    account = factories.account()
    first = request_pull(account, requested_by=COMMAND_LINE)
    second = request_pull(account, requested_by=COMMAND_LINE, accept_loss=True)
    assert first.pk == second.pk
    assert Pull.objects.get().accept_loss


def test_a_request_by_somebody_is_in_the_journal_and_one_of_the_schedule_is_not(db: None) -> None:
    account = factories.account()
    request_pull(account, trigger="schedule")
    assert not Entry.objects.exists()
    someone = factories.viewer()
    pull = request_pull(account, requested_by=someone)
    entry = Entry.objects.get()
    assert (entry.kind, entry.account_id) == ("pull.request", account.account_id)
    assert str(pull.pk) in str(entry.data)
    other = factories.account("222222222222")
    assert request_pull(other, requested_by=someone).requested_by == someone.person_id


@pytest.mark.parametrize("fields", [{"source": "export"}, {"removed_at": timezone.now()}])
def test_what_cannot_be_read_cannot_be_asked_for(db: None, fields: dict[str, object]) -> None:
    with pytest.raises(NotPullableError):
        request_pull(factories.account(**fields))


def test_a_pull_is_claimed_once(db: None) -> None:
    pull = request_pull(factories.account())
    assert claim(pull.pk, now=timezone.now())
    assert not claim(pull.pk, now=timezone.now())
    assert not claim(uuid4(), now=timezone.now())


def test_a_second_worker_with_the_same_message_steps_back(
    world: World, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = request_pull(account)
    take, seconds = authorization._take_page, []

    def take_twice(*args: object) -> None:
        if not seconds:
            seconds.append(run_pull(pull.pk).state)
        take(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(authorization, "_take_page", take_twice)
    assert run_pull(pull.pk).state == PullState.COMPLETE
    assert seconds == [PullState.RUNNING]
    assert world.requests["GetAccountAuthorizationDetails"] == 1
    assert run_pull(pull.pk).state == PullState.COMPLETE
    assert world.requests["GetAccountAuthorizationDetails"] == 1


def test_a_pull_whose_worker_stopped_is_failed_and_a_new_one_begins(
    account: Account, pull: Callable[..., Pull], world: World
) -> None:
    dead = request_pull(account)
    claim(dead.pk, now=timezone.now())
    assert request_pull(account).pk == dead.pk
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)):
        assert pull(account).pk != dead.pk
    dead.refresh_from_db()
    assert dead.state == PullState.FAILED
    assert "stopped" in dead.message


def test_a_worker_that_was_taken_for_dead_applies_nothing(
    account: Account, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = request_pull(account)
    take = authorization._take_page

    def late(*args: object) -> None:
        take(*args)  # type: ignore[arg-type]
        Pull.objects.filter(pk=pull.pk).update(state=PullState.FAILED, message="taken for dead")

    monkeypatch.setattr(authorization, "_take_page", late)
    done = run_pull(pull.pk)
    assert (done.state, done.message) == (PullState.FAILED, "taken for dead")
    assert not Entity.objects.exists()


def test_the_lease_is_renewed_while_the_pull_goes_on(db: None) -> None:
    pull = request_pull(factories.account())
    begun = timezone.now()
    claim(pull.pk, now=begun)
    progress = PullProgress(pull.pk, expected=10)
    with time_machine.travel(begun + timedelta(seconds=100)):
        progress.on_call("iam:ListUsers")
        progress.enter("Reading roles")
        progress.save()
    pull.refresh_from_db()
    assert pull.lease_until is not None
    assert pull.lease_until >= begun + timedelta(seconds=100) + LEASE
    assert (pull.calls, pull.calls_expected, pull.phase) == (1, 10, "Reading roles")
    Pull.objects.update(state=PullState.FAILED)
    with pytest.raises(PullLeaseLostError):
        progress.keep()


def test_progress_is_written_at_most_twice_a_second(
    db: None, django_assert_max_num_queries: Callable[..., object]
) -> None:
    pull = request_pull(factories.account())
    claim(pull.pk, now=timezone.now())
    progress = PullProgress(pull.pk, expected=10)
    progress.save()
    with django_assert_max_num_queries(2):  # type: ignore[attr-defined]
        for _ in range(1000):
            progress.on_call("iam:ListUsers")


def test_a_queued_pull_is_stopped_at_once(db: None) -> None:
    pull = request_pull(factories.account())
    assert cancel_pull(pull, actor=COMMAND_LINE)
    assert pull.state == PullState.CANCELLED
    assert Entry.objects.get().kind == "pull.cancel"
    assert run_pull(pull.pk).state == PullState.CANCELLED
    assert not cancel_pull(pull, actor=COMMAND_LINE)
    assert Entry.objects.count() == 1


def test_a_running_pull_stops_between_two_pages(
    account: Account, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorization, "PAGE_SIZE", 50)
    monkeypatch.setattr("iam.mirror.pull.progress.EVERY_SECONDS", 0)
    pull = request_pull(account)
    take = authorization._take_page

    def stop(*args: object) -> None:
        cancel_pull(pull, actor=COMMAND_LINE)
        take(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(authorization, "_take_page", stop)
    done = run_pull(pull.pk)
    assert (done.state, done.lease_until) == (PullState.CANCELLED, None)
    assert world.requests["GetAccountAuthorizationDetails"] == 1
    assert not Entity.objects.filter(kind="user").exists()


def test_the_broker_is_told_after_the_commit(
    db: None, nudges: list[str], django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        pull = request_pull(factories.account())
        assert nudges == []
    assert nudges == [str(pull.pk)]


def test_a_broker_that_is_away_only_delays(
    db: None, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OperationalError("no route")

    monkeypatch.setattr(nudge.current_app, "send_task", refuse)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        pull = request_pull(factories.account())
    assert Pull.objects.get().pk == pull.pk


def test_what_an_emptied_broker_forgot_is_told_again_ever_more_rarely(db: None, nudges: list[str]) -> None:
    account = factories.account(next_pull_at=timezone.now() + timedelta(days=1))
    pull = request_pull(account)
    begun = timezone.now()
    told_at = []
    for seconds in range(0, 1200, 15):
        with time_machine.travel(begun + timedelta(seconds=seconds), tick=False):
            before = len(nudges)
            pull_due_accounts()
            if len(nudges) > before:
                told_at.append(seconds)
    assert set(nudges) == {str(pull.pk)}
    assert told_at[0] <= 45
    assert 4 <= len(told_at) <= 8
    claim(pull.pk, now=begun)
    with time_machine.travel(begun + timedelta(seconds=60)):
        count = len(nudges)
        pull_due_accounts()
        assert len(nudges) == count


def test_due_accounts_are_queued_once_and_their_next_time_is_set(db: None, settings: Settings) -> None:
    settings.PULL_MINUTES = 15
    now = timezone.now()
    never = factories.account("100000000001")
    own = factories.account("100000000002", pull_every=60, next_pull_at=now - timedelta(seconds=1))
    factories.account("100000000003", next_pull_at=now + timedelta(minutes=1))
    factories.account("100000000004", source="export")
    factories.account("100000000005", removed_at=now)
    assert pull_due_accounts() == 2
    assert pull_due_accounts() == 0
    assert set(Pull.objects.values_list("account", "trigger")) == {
        (never.pk, "schedule"),
        (own.pk, "schedule"),
    }
    never.refresh_from_db()
    own.refresh_from_db()
    assert never.next_pull_at is not None
    assert own.next_pull_at is not None
    assert timedelta(minutes=14) < never.next_pull_at - now < timedelta(minutes=16)
    assert timedelta(minutes=59) < own.next_pull_at - now < timedelta(minutes=61)


def test_the_schedule_frees_what_a_dead_worker_held(db: None) -> None:
    account = factories.account(next_pull_at=timezone.now() + timedelta(days=1))
    pull = request_pull(account)
    claim(pull.pk, now=timezone.now() - LEASE - timedelta(seconds=5))
    pull_due_accounts()
    pull.refresh_from_db()
    assert pull.state == PullState.FAILED


def test_scheduled_pulls_that_found_nothing_new_are_forgotten_after_two_days(
    world: World, account: Account
) -> None:
    first = run_pull(request_pull(account, trigger="schedule").pk)
    quiet = run_pull(request_pull(account, trigger="schedule").pk)
    asked = run_pull(request_pull(account, trigger="demand").pk)
    Pull.objects.update(created_at=F("created_at") - timedelta(days=3))
    last = run_pull(request_pull(account, trigger="schedule").pk)
    assert set(Pull.objects.values_list("pk", flat=True)) == {first.pk, asked.pk, last.pk}
    assert quiet.added == quiet.changed == quiet.ended == 0
