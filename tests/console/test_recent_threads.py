"""The threads of the web server: the one that became idle last answers, and no request is lost."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from concurrent.futures import Future, wait
from threading import Barrier, Event, current_thread, get_ident
from time import sleep

import pytest

from console.recent_threads import RecentThreads
from tests.patience import PATIENCE_S

MOST = 3
DEPTH, CALLS = 120, 200


@pytest.fixture
def threads() -> Iterator[RecentThreads]:
    pool = RecentThreads(MOST, name="test")
    yield pool
    pool.shutdown()


def when_idle(pool: RecentThreads, number: int) -> RecentThreads:
    """The pool when this number of threads is idle, which is just after their results are known."""
    for _ in range(1000):
        if len(pool._idle) == number:
            return pool
        sleep(0.01)
    raise AssertionError(f"{len(pool._idle)} of {number} threads are idle")


def test_one_request_after_another_is_answered_by_the_same_thread(threads: RecentThreads) -> None:
    meeting = Barrier(MOST)
    wait([threads.submit(meeting.wait) for _ in range(MOST)], timeout=PATIENCE_S)
    idents = {when_idle(threads, MOST).submit(get_ident).result(timeout=PATIENCE_S) for _ in range(20)}
    assert len(idents) == 1


def test_the_thread_that_became_idle_last_is_the_next(threads: RecentThreads) -> None:
    ends = [Event() for _ in range(MOST)]
    started = Barrier(MOST + 1)

    def work(end: Event) -> int:
        started.wait(timeout=PATIENCE_S)
        end.wait(timeout=PATIENCE_S)
        return get_ident()

    running = [threads.submit(work, end) for end in ends]
    started.wait(timeout=PATIENCE_S)
    idents = []
    for idle, place in enumerate((1, 0, 2), start=1):
        ends[place].set()
        idents.append(running[place].result(timeout=PATIENCE_S))
        assert when_idle(threads, idle).submit(get_ident).result(timeout=PATIENCE_S) == idents[-1]
        when_idle(threads, idle)


def test_as_many_run_at_once_as_there_are_threads_and_the_rest_in_order(threads: RecentThreads) -> None:
    end, order = Event(), list[int]()
    busy = [threads.submit(end.wait, PATIENCE_S) for _ in range(MOST)]
    rest: list[Future[None]] = [threads.submit(order.append, number) for number in range(50)]
    assert not any(future.done() for future in (*busy, *rest))
    end.set()
    wait(rest, timeout=PATIENCE_S)
    assert sorted(order) == list(range(50))
    assert all(future.result() for future in busy)


def test_an_error_reaches_who_asked_and_the_thread_goes_on(threads: RecentThreads) -> None:
    def fail() -> None:
        raise ValueError("no")

    failed = threads.submit(fail)
    with pytest.raises(ValueError, match="no"):
        failed.result(timeout=PATIENCE_S)
    assert threads.submit(lambda: 7).result(timeout=PATIENCE_S) == 7


def test_a_canceled_call_is_not_made(threads: RecentThreads) -> None:
    end, made = Event(), list[int]()
    busy = [threads.submit(end.wait, PATIENCE_S) for _ in range(MOST)]
    canceled = threads.submit(made.append, 1)
    assert canceled.cancel()
    end.set()
    wait(busy, timeout=PATIENCE_S)
    assert threads.submit(lambda: list(made)).result(timeout=PATIENCE_S) == []


def test_ending_waits_for_running_and_waiting_calls() -> None:
    pool, end = RecentThreads(1, name="test"), Event()
    running, waiting = pool.submit(end.wait, PATIENCE_S), pool.submit(lambda: current_thread().name)
    end.set()
    pool.shutdown()
    assert running.result(timeout=0)
    assert waiting.result(timeout=0) == "test-0"
    with pytest.raises(RuntimeError, match="ended"):
        pool.submit(lambda: None)


def add_one(number: int) -> int:
    return number + 1


def faults_of_calls(depth: int) -> list[int]:
    """Number of page faults of a loop of calls, at each depth of nested calls."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    number = 0
    for _ in range(CALLS):
        number = add_one(number)
    faults = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before
    return [faults, *faults_of_calls(depth - 1)] if depth else [faults]


def test_no_depth_of_calls_costs_memory_with_every_call(threads: RecentThreads) -> None:
    """At the end of a block of frames, each call of the loop would take a new block and return it."""
    faults = threads.submit(faults_of_calls, DEPTH).result(timeout=PATIENCE_S)
    assert len(faults) == DEPTH + 1
    assert max(faults) < CALLS // 2
