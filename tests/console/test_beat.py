"""A worker without its beat sweeps nothing: it ends, so that it is started again with one. Beat rests in a
quiet database.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery.beat import PersistentScheduler
from celery.worker import state
from django.db import DatabaseError, connection, transaction

from console import celery
from console.beat import (
    ACTIVE_SECONDS,
    AWAKE_WHILE_SETTLING,
    FREQUENT_SECONDS,
    HEARTBEAT,
    LOOK_SECONDS,
    QUIET_ROUND,
    SETTLING_SECONDS,
    DatabaseActivity,
    QuietScheduler,
    StateOfWrites,
)
from console.tasks import sweep_in_turn
from iam.directory.models import Person
from iam.schedule import ENTRIES
from tests.house_rules import ROOT


@dataclass
class Beat:
    """One that has ended."""

    joined: int = 0

    def join(self) -> None:
        """Comes back at once."""
        self.joined += 1


@dataclass
class Sender:
    """What Celery hands over when a worker is ready."""

    beat: Beat | None
    controller: Any = field(init=False)

    def __post_init__(self) -> None:
        self.controller = self


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that were sent; threads run at once."""
    sent: list[int] = []

    class AtOnce:
        def __init__(self, target: Any, args: tuple[Any, ...], **_: Any) -> None:
            self.start = lambda: target(*args)

    monkeypatch.setattr(celery, "Thread", AtOnce)
    monkeypatch.setattr(celery.os, "kill", lambda _, number: sent.append(number))
    return sent


def test_a_worker_whose_beat_was_lost_ends(killed: list[int]) -> None:
    celery.end_without_beat(Sender(Beat()))
    assert killed == [signal.SIGTERM]


def test_a_worker_that_ends_anyway_and_one_without_a_beat_are_left_alone(
    killed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    celery.end_without_beat(Sender(None))
    monkeypatch.setattr(state, "should_stop", 0)
    celery.end_without_beat(Sender(Beat()))
    assert killed == []


@dataclass
class Writes:
    """A database that counts what is written, and a clock."""

    state: int = 0
    now: float = 1000.0
    is_down: bool = False

    def read(self) -> int:
        """The state, unless the database is down."""
        if self.is_down:
            raise DatabaseError("down")
        return self.state


@pytest.fixture
def writes() -> Writes:
    return Writes()


@pytest.fixture
def scheduler(writes: Writes, tmp_path: Path) -> Iterator[QuietScheduler]:
    """The scheduler of the console, every entry of which was last sent a day ago."""
    made = QuietScheduler(celery.app, schedule_filename=str(tmp_path / "beat"))
    made.activity = DatabaseActivity(writes.read, clock=lambda: writes.now)
    made.activity.tempo()
    for entry in made.schedule.values():
        entry.last_run_at -= timedelta(days=1)
    yield made
    made.close()


def sent(scheduler: QuietScheduler) -> set[str]:
    """The frequent entries that the scheduler would send now."""
    return {
        name
        for name, entry in scheduler.schedule.items()
        if name in FREQUENT | {QUIET_ROUND} and scheduler.is_due(entry).is_due
    }


# As in a worker.
celery.app.loader.import_default_modules()
FREQUENT = {
    name for name, entry in celery.app.conf.beat_schedule.items() if entry["schedule"] <= FREQUENT_SECONDS
} - {QUIET_ROUND}


def test_every_sweep_keeps_its_period_for_half_a_minute_after_a_write(
    scheduler: QuietScheduler, writes: Writes
) -> None:
    writes.now += ACTIVE_SECONDS - 1
    assert sent(scheduler) == FREQUENT
    writes.now += 1
    assert sent(scheduler) == {QUIET_ROUND}
    writes.state += 1
    assert sent(scheduler) == FREQUENT


def test_the_write_of_a_heartbeat_wakes_no_sweep_but_the_journal_s(
    scheduler: QuietScheduler, writes: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PersistentScheduler, "apply_async", lambda *_, **__: None)
    writes.now += ACTIVE_SECONDS
    assert sent(scheduler) == {QUIET_ROUND}
    scheduler.apply_async(scheduler.schedule[HEARTBEAT])
    writes.state += 1
    writes.now += 1
    assert sent(scheduler) == {AWAKE_WHILE_SETTLING, QUIET_ROUND}
    writes.now += SETTLING_SECONDS
    assert sent(scheduler) == {QUIET_ROUND}


def test_a_write_after_that_of_a_heartbeat_counts_and_one_before_keeps_its_half_minute(
    scheduler: QuietScheduler, writes: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PersistentScheduler, "apply_async", lambda *_, **__: None)
    for seconds in (1.0, SETTLING_SECONDS):
        scheduler.apply_async(scheduler.schedule[HEARTBEAT])
        writes.state += 1
        sent(scheduler)
        writes.now += seconds
        writes.state += 1
        sent(scheduler)
        writes.now += ACTIVE_SECONDS - 1
        assert sent(scheduler) == FREQUENT
    scheduler.apply_async(scheduler.schedule[HEARTBEAT])
    writes.state += 1
    assert sent(scheduler) == FREQUENT
    writes.now += SETTLING_SECONDS
    assert sent(scheduler) == {QUIET_ROUND}


def test_a_heartbeat_that_is_late_counts_as_any_write(
    scheduler: QuietScheduler, writes: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PersistentScheduler, "apply_async", lambda *_, **__: None)
    writes.now += ACTIVE_SECONDS
    scheduler.apply_async(scheduler.schedule[HEARTBEAT])
    writes.now += SETTLING_SECONDS
    writes.state += 1
    assert sent(scheduler) == FREQUENT
    writes.now += ACTIVE_SECONDS - 1
    assert sent(scheduler) == FREQUENT


def test_a_database_that_does_not_answer_lets_no_sweep_rest(
    scheduler: QuietScheduler, writes: Writes
) -> None:
    writes.now += 3600
    writes.is_down = True
    assert sent(scheduler) == FREQUENT


@dataclass
class Hours:
    """A scheduler that runs by a clock of its own, and what it does."""

    scheduler: QuietScheduler
    writes: Writes
    clock: Any
    ticks: int = 0
    looks: list[float] = field(default_factory=list)
    """When an entry was looked at."""
    sent: list[tuple[float, str]] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        """Let beat run for so long; a tick takes a millisecond."""
        end = time.time() + seconds
        while time.time() < end:
            self.ticks += 1
            self.clock.shift(max(0.0, min(self.scheduler.tick(), end - time.time())) + 0.001)
            self.writes.now = time.time()

    def forget(self) -> None:
        """Count anew."""
        self.ticks = 0
        self.looks.clear()
        self.sent.clear()


@pytest.fixture
def hours(scheduler: QuietScheduler, writes: Writes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hours]:
    """The scheduler in a database to which nothing was written for two minutes."""
    is_due = scheduler.is_due

    def looked(entry: Any) -> Any:
        running.looks.append(time.time())
        return is_due(entry)

    def send(entry: Any, *_: Any, **__: Any) -> None:
        running.sent.append((time.time(), entry.name))

    with time_machine.travel(datetime.now(tz=UTC), tick=False) as clock:
        running = Hours(scheduler, writes, clock)
        writes.now = time.time()
        scheduler.activity = DatabaseActivity(writes.read, clock=lambda: writes.now)
        monkeypatch.setattr(scheduler, "is_due", looked)
        monkeypatch.setattr(scheduler, "apply_async", send)
        # No broker is asked.
        monkeypatch.setitem(vars(scheduler), "producer", None)
        running.run(120)
        running.forget()
        yield running


def test_in_a_quiet_database_beat_looks_once_a_second_and_at_entries_once_a_minute(hours: Hours) -> None:
    hours.run(60)
    assert [name for _, name in hours.sent] == [QUIET_ROUND]
    # Celery looks ten milliseconds early, and then again until an entry is due.
    assert len({int(moment) for moment in hours.looks}) <= 2
    assert hours.ticks - len(hours.looks) <= 62


def test_after_a_rest_each_sweep_is_sent_within_its_period_and_not_all_at_once(hours: Hours) -> None:
    hours.run(33)
    hours.forget()
    hours.writes.state += 1
    began = time.time()
    hours.run(ACTIVE_SECONDS)
    first = {name: moment - began for moment, name in reversed(hours.sent)}
    periods = {name: hours.scheduler.schedule[name].schedule.seconds for name in FREQUENT}
    assert {name for name in FREQUENT if periods[name] < ACTIVE_SECONDS} <= first.keys()
    for name, seconds in first.items():
        assert seconds <= periods[name] + LOOK_SECONDS
    assert [name for name in first if first[name] < 1] == [AWAKE_WHILE_SETTLING]


def test_the_round_is_sent_every_minute_of_a_quiet_hour(hours: Hours) -> None:
    hours.run(3600)
    rounds = [moment for moment, name in hours.sent if name == QUIET_ROUND]
    assert len(rounds) >= 59
    assert max(later - earlier for earlier, later in pairwise(rounds)) <= FREQUENT_SECONDS + LOOK_SECONDS
    assert not FREQUENT & {name for _, name in hours.sent}


def test_rare_entries_are_sent_in_a_quiet_database_too(scheduler: QuietScheduler, writes: Writes) -> None:
    writes.now += 3600
    assert scheduler.is_due(scheduler.schedule["iam.access.grants.tasks.clean_up_grants"]).is_due


def test_the_quiet_round_carries_every_frequent_sweep() -> None:
    [names] = celery.app.conf.beat_schedule[QUIET_ROUND]["args"]
    assert set(names) == {celery.app.conf.beat_schedule[name]["task"] for name in FREQUENT}
    assert set(names) <= set(celery.app.tasks)


def test_each_task_that_says_how_often_it_runs_has_an_entry_of_its_own() -> None:
    asked = 0
    for root in ("iam", "console"):
        for path in (ROOT / root).rglob("tasks.py"):
            asked += path.read_text(encoding="utf-8").count("\n@every(")
    assert asked == len(ENTRIES.keys() - {QUIET_ROUND, "console.demo.tasks.give_sample_grants"}) > 25
    assert {entry["task"] for entry in ENTRIES.values()} <= set(celery.app.tasks)


def test_a_message_of_the_release_before_finds_its_task() -> None:
    for former, name in celery.FORMER_TASKS.items():
        assert celery.app.tasks[former] is celery.app.tasks[name]
        assert celery.app.tasks[name].name == name


def test_a_message_goes_to_one_queue_only() -> None:
    queues = celery.app.amqp.queues.values()
    places = [(queue.exchange.name, queue.routing_key) for queue in queues]
    assert len(set(places)) == len(places) == 2
    route = celery.app.amqp.router.route({}, "iam.access.escalation_calculation.tasks.calculate_escalation")
    assert route["queue"].name == celery.CALCULATIONS
    assert celery.app.amqp.router.route({}, "iam.changes.tasks.sweep_changes")["queue"].name == "gatehouse"


@pytest.mark.django_db(transaction=True)
def test_the_quiet_round_writes_nothing() -> None:
    [names] = celery.app.conf.beat_schedule[QUIET_ROUND]["args"]
    sweep_in_turn(names)
    before = written()
    sweep_in_turn(names)
    assert written() == before
    Person.objects.create(email="someone@example.com")
    assert written() != before


def written() -> object:
    """A value that every write changes. SQLite's data version would count empty transactions of a database in
    memory.
    """
    if connection.vendor == "sqlite":
        return connection.connection.total_changes
    with closing(StateOfWrites()) as read:
        return read()


@pytest.mark.django_db(transaction=True)
def test_a_commit_changes_the_state_of_writes_and_reading_does_not() -> None:
    with closing(StateOfWrites()) as read:
        before = read()
        assert not Person.objects.exists()
        assert read() == before
        with transaction.atomic():
            Person.objects.create(email="someone@example.com")
            begun = read() if connection.vendor == "postgresql" else before
        assert len({before, begun, read()}) == len({before, begun}) + 1


def test_one_sweep_that_fails_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    class Sweep:
        def __init__(self, name: str) -> None:
            self.name = name

        def __call__(self) -> None:
            done.append(self.name)

    monkeypatch.setitem(celery.app.tasks, "first", Sweep("first"))
    monkeypatch.setitem(celery.app.tasks, "last", Sweep("last"))

    @celery.app.task(name="broken")  # type: ignore[untyped-decorator]
    def broken() -> None:
        raise ValueError("broken")

    sweep_in_turn(["first", "broken", "last"])
    assert done == ["first", "last"]
    assert "sweep.failed" in caplog.text
    caplog.clear()
