"""A worker that is killed at any step, and a broker that forgets: delay, nothing more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from iam import nudge
from iam.aws import writes
from iam.changes.models import Change, ChangeState
from iam.changes.operations.group_membership import Membership
from iam.changes.runner import attempt, claims, outcomes, run, sweep
from iam.changes.states import RUN_CHANGE
from iam.journal.models import Entry
from tests.iam.changes.conftest import Nudges, Scene, wait_over

pytestmark = pytest.mark.on_both

ADD = "iam:AddUserToGroup"


class KilledError(BaseException):
    """What SIGKILL looks like from inside: nothing catches it."""


def killed(*_: Any, **__: Any) -> Any:
    """Dies."""
    raise KilledError


def dying_after(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, after which the worker dies."""

    def call(*args: Any, **kwargs: Any) -> Any:
        function(*args, **kwargs)
        raise KilledError

    return call


STEPS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "before it has looked at names": (Membership, "identity_error", killed),
    "before it has looked at AWS": (Membership, "observe", killed),
    "after it has looked at AWS": (Membership, "observe", dying_after(Membership.observe)),
    "before the call leaves": (writes, "call", killed),
    "after AWS has carried the call out": (writes, "call", dying_after(writes.call)),
    "after the answer was noted": (attempt, "move", dying_after(attempt.move)),
    "before it reads back": (attempt, "_confirm", killed),
    "before the mirror is read": (Membership, "read_back", killed),
    "after the mirror was read": (Membership, "read_back", dying_after(Membership.read_back)),
    "before the end is recorded": (outcomes, "_move", killed),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_loses_nothing_and_does_nothing_twice(
    scene: Scene, nudges: Nudges, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    change = scene.queued()
    place, name, dies = STEPS[step]
    with monkeypatch.context() as patched:
        patched.setattr(place, name, dies)
        with pytest.raises(KilledError):
            run(change.pk)
    change.refresh_from_db()
    assert change.state in (ChangeState.APPLYING, ChangeState.CONFIRMING)

    run(change.pk)
    change.refresh_from_db()
    assert change.state != ChangeState.APPLIED, "the lease still holds"

    wait_over(change)
    nudges.sent.clear()
    assert sweep() == 1
    assert nudges.sent == [(change.pk, 0)]
    run(change.pk)

    change.refresh_from_db()
    assert change.state == ChangeState.APPLIED, change.error_message
    assert scene.in_aws()
    assert scene.in_mirror()
    assert scene.standin.calls(ADD) == 1
    assert not change.already_so or step.startswith(("before it has looked", "after it has looked"))
    assert Entry.objects.filter(kind="change.applied").count() == 1


def test_a_change_that_kills_every_worker_is_given_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    change = scene.queued()
    with monkeypatch.context() as patched:
        patched.setattr(Membership, "observe", killed)
        for _ in range(attempt.MAX_RUNS):
            wait_over(change)
            with pytest.raises(KilledError):
                run(change.pk)
    wait_over(change)

    run(change.pk)

    change.refresh_from_db()
    assert (change.state, change.error_kind) == (ChangeState.FAILED, "lost")
    assert scene.standin.calls(ADD) == 0


def test_a_worker_that_wakes_up_after_it_was_overtaken_sends_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = scene.queued()
    true_mismatch = Membership.identity_error

    def overtaken(self: Membership, aws: Any) -> Any:
        """While this worker slept its lease ran out, and another has begun."""
        why = true_mismatch(self, aws)
        Change.objects.filter(pk=change.pk).update(attempts=2)
        return why

    monkeypatch.setattr(Membership, "identity_error", overtaken)

    run(change.pk)

    change.refresh_from_db()
    assert change.state == ChangeState.APPLYING
    assert scene.standin.calls(ADD) == 0


def test_a_long_way_to_aws_renews_the_lease(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    change = scene.queued()
    leases = []
    true_mismatch = Membership.identity_error

    def slow(self: Membership, aws: Any) -> str:
        """Half of the lease is over before the first request."""
        short = attempt.datetime.now(tz=attempt.UTC) + claims.LEASE / 2
        renewal = aws.on_call
        renewal.args[0].lease_until = short
        Change.objects.filter(pk=change.pk).update(lease_until=short)
        mismatch = true_mismatch(self, aws)
        leases.append(Change.objects.get(pk=change.pk).lease_until - short)
        return mismatch

    monkeypatch.setattr(Membership, "identity_error", slow)

    run(change.pk)

    assert leases[0] > claims.LEASE / 3


@pytest.mark.parametrize("failure", [DatabaseError, InterfaceError])
@pytest.mark.parametrize(
    ("where", "name", "state"),
    [(attempt, "move", ChangeState.APPLYING), (outcomes, "_read_back", ChangeState.CONFIRMING)],
)
def test_our_own_database_failing_leaves_the_row_to_the_sweep(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, state: str, failure: type[Exception]
) -> None:
    change = scene.queued()

    def cut(*_: Any, **__: Any) -> Any:
        raise failure("connection lost")

    with monkeypatch.context() as patched:
        patched.setattr(where, name, cut)
        with pytest.raises(failure):
            run(change.pk)
    change.refresh_from_db()
    assert change.state == state

    wait_over(change)
    run(change.pk)
    change.refresh_from_db()
    assert change.state == ChangeState.APPLIED
    assert scene.standin.calls(ADD) == 1


def test_an_emptied_broker_only_delays(
    scene: Scene, nudges: Nudges, django_capture_on_commit_callbacks: Any
) -> None:
    nudges.works = False
    with django_capture_on_commit_callbacks(execute=True):
        change = scene.queued()
    assert nudges.sent == []
    assert change.state == ChangeState.QUEUED

    nudges.works = True
    assert sweep() == 1
    assert nudges.sent == [(change.pk, 0)]


def test_approval_nudges_the_workers_once_it_is_written(
    scene: Scene, nudges: Nudges, django_capture_on_commit_callbacks: Any
) -> None:
    change = scene.ask()
    with django_capture_on_commit_callbacks() as callbacks:
        scene.approve(change)
        assert nudges.sent == []
    for callback in callbacks:
        callback()
    assert nudges.sent == [(change.pk, 0)]


def test_the_sweep_leaves_alone_what_is_not_due(scene: Scene, nudges: Nudges) -> None:
    scene.applied()
    nudges.sent.clear()

    assert sweep() == 0


def test_a_broker_that_does_not_answer_is_no_failure_of_the_request(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    change = scene.ask()

    assert nudge.send(RUN_CHANGE, change.pk) is False


def test_a_second_change_of_the_same_person_waits_for_the_first(scene: Scene, nudges: Nudges) -> None:
    first, second = scene.queued(), scene.queued_for_other_group()
    Change.objects.filter(pk=first.pk).update(state=ChangeState.CONFIRMING, due_at=None)

    run(second.pk)
    second.refresh_from_db()
    assert second.state == ChangeState.QUEUED

    Change.objects.filter(pk=first.pk).update(due_at=second.due_at)
    scene.by_hand("AddUserToGroup")
    run(first.pk)
    run(second.pk)
    second.refresh_from_db()
    assert second.state == ChangeState.APPLIED, second.error_message


def test_the_end_of_a_change_nudges_the_next_of_the_same_person(
    scene: Scene, nudges: Nudges, django_capture_on_commit_callbacks: Any
) -> None:
    first, second = scene.queued(), scene.queued_for_other_group()
    nudges.sent.clear()

    with django_capture_on_commit_callbacks(execute=True):
        run(first.pk)

    assert (second.pk, 0) in nudges.sent


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_claim_the_same_change_one_gets_it(scene: Scene) -> None:
    change = scene.queued()
    got: list[UUID] = []
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        try:
            if claimed(change.pk):
                got.append(change.pk)
        finally:
            _close(connections["default"])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == [change.pk]
    change.refresh_from_db()
    assert change.attempts == 1
    assert change.events.filter(kind="applying").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_that_claim_two_changes_of_one_person_one_waits(scene: Scene) -> None:
    first, second = scene.queued(), scene.queued_for_other_group()
    got: list[UUID] = []
    together = threading.Barrier(2)

    def work(change_id: UUID) -> None:
        together.wait()
        try:
            if claimed(change_id):
                got.append(change_id)
        finally:
            _close(connections["default"])

    threads = [threading.Thread(target=work, args=[change.pk]) for change in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 1
    states_now = sorted(Change.objects.values_list("state", flat=True))
    assert states_now == [ChangeState.APPLYING, ChangeState.QUEUED]


def claimed(change_id: UUID) -> bool:
    """Whether this worker gets the change; SQLite in memory refuses two writers at once instead of letting
    one wait.
    """
    while True:
        try:
            return claims.claim(change_id) is not None
        except OperationalError:
            if connection.vendor != "sqlite":
                raise
            time.sleep(0.01)


def _close(used: BaseDatabaseWrapper) -> None:
    """Every thread has a connection of its own, except where the test database lives in memory."""
    if used is not connection or used.vendor != "sqlite":
        used.close()
