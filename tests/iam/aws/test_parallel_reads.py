"""Reads at once: as many as the way is wide, each answer and error where it is asked for, and nothing that
outlives the block.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.parallel_reads import parallel_reads
from iam.aws.reads import details, lists
from iam.aws.session import Aws, connect
from tests.iam.aws.scripted import ACCOUNT
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.usefixtures("world")


def way(width: int, on_call: Callable[[str], None] | None = None) -> Aws:
    aws = connect(AccountAccess(ACCOUNT), on_call=on_call)
    aws.width = width
    return aws


class Crowd:
    """Counts who is in at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def visit(self, number: int) -> int:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= 1
        return number


@pytest.mark.parametrize("width", [2, 4])
def test_as_many_as_the_way_is_wide_meet(width: int) -> None:
    meeting = threading.Barrier(width)
    with parallel_reads(way(width)) as ask:
        answers = [ask(partial(meeting.wait, timeout=PATIENCE_S)) for _ in range(width)]
        # The caller takes the one that nobody has begun.
        assert sorted(answer() for answer in reversed(answers)) == list(range(width))


@pytest.mark.parametrize("width", [1, 2, 4])
def test_no_more_run_at_once_and_each_answer_is_its_own(width: int) -> None:
    crowd = Crowd()
    with parallel_reads(way(width)) as ask:
        answers = [ask(partial(crowd.visit, number)) for number in range(20)]
        assert [answer() for answer in answers] == list(range(20))
    assert crowd.most <= width


def test_on_a_way_that_is_one_wide_each_is_done_when_it_is_asked_for() -> None:
    done: list[int] = []
    with parallel_reads(way(1)) as ask:
        first, second, _ = (ask(partial(done.append, number)) for number in range(3))
        second()
        first()
    assert done == [1, 0]


def test_an_error_is_raised_where_the_answer_is_asked_for_and_only_there() -> None:
    with parallel_reads(way(4)) as ask:
        good = ask(lambda: 1)
        bad = ask(partial(details.get_user, way(1), name="nobody-of-this-name"))
        ask(partial(details.get_user, way(1), name="nobody-of-this-name"))
        assert good() == 1
        with pytest.raises(AwsError) as raised:
            bad()
    assert raised.value.kind is ErrorKind.NOT_FOUND


def test_nothing_outlives_the_block_and_what_was_not_begun_is_left() -> None:
    begun, ended = threading.Semaphore(0), []

    def read() -> None:
        begun.release()
        time.sleep(0.05)
        ended.append(1)

    def fail() -> None:
        with parallel_reads(way(4)) as ask:
            for _ in range(10):
                ask(read)
            for _ in range(3):
                assert begun.acquire(timeout=PATIENCE_S)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert len(ended) == 3
    time.sleep(0.1)
    assert len(ended) == 3


def test_who_has_the_way_is_told_of_each_request_in_the_thread_of_its_own() -> None:
    calls: list[tuple[str, int]] = []
    aws = way(4, lambda action: calls.append((action, threading.get_ident())))
    details.get_user(aws, name=_some("User"))
    expected = ["GetUser", "ListAttachedUserPolicies", "ListGroupsForUser", "ListUserPolicies"]
    assert {f"iam:{name}" for name in expected} <= {action for action, _ in calls}
    assert len(calls) == aws.calls.total()
    assert {thread for _, thread in calls} == {threading.get_ident()}


def test_who_has_lost_the_way_stops_after_the_reads_under_way() -> None:
    class LostError(Exception):
        pass

    def lose(_: str) -> None:
        raise LostError

    ended, aws = [], way(4, lose)

    def read(seconds: float) -> None:
        aws.iam.get_account_summary()
        time.sleep(seconds)
        ended.append(seconds)

    def lead() -> None:
        with parallel_reads(aws) as ask:
            first = ask(partial(read, 0.0))
            ask(partial(read, 0.3))
            while not ended:
                time.sleep(0.01)
            first()

    with pytest.raises(LostError):
        lead()
    assert ended == [0.0, 0.3]


def test_what_runs_beside_and_asks_itself_is_alone() -> None:
    """Else threads would wait for threads, and in the end for none."""
    crowd, aws = Crowd(), way(4)

    def deeper(depth: int) -> int:
        if not depth:
            return crowd.visit(1)
        with parallel_reads(aws) as ask:
            return sum(answer() for answer in [ask(partial(deeper, depth - 1)) for _ in range(3)])

    assert deeper(4) == 3**4
    assert crowd.most <= 4


READS: dict[str, Callable[[Aws], Any]] = {
    "a user": lambda aws: details.get_user(aws, name=_some("User")),
    "a group": lambda aws: details.get_group(aws, name=_some("Group")),
    "a role": lambda aws: details.get_role(aws, name=_some("Role")),
    "a policy": lambda aws: details.get_policy(aws, arn=_some("Policy")),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_what_is_read_at_once_is_what_is_read_in_turn(read: Callable[[Aws], Any]) -> None:
    at_once_, in_turn = way(4), way(1)
    assert read(at_once_) == read(in_turn)
    assert at_once_.calls == in_turn.calls


def test_long_lists_are_read_beside_each_other() -> None:
    """Their bytes are taken past the parser by what the context says, and each has a context of its own."""
    aws = way(4)
    reads = [lists.list_users, lists.list_roles, lists.list_virtual_mfa_devices] * 3
    with parallel_reads(aws) as ask:
        answers = [ask(partial(_all, read, aws)) for read in reads]
        answers_of_threads = [answer() for answer in answers]
    assert answers_of_threads[:3] == [_all(read, way(1)) for read in reads[:3]]
    assert answers_of_threads[:3] == answers_of_threads[3:6] == answers_of_threads[6:]


def test_a_process_that_was_forked_has_threads_of_its_own() -> None:
    aws = way(4)
    details.get_user(aws, name=_some("User"))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            details.get_user(way(4), name=_some("User"))
            code = 0
        finally:
            os._exit(code)
    deadline = time.monotonic() + PATIENCE_S
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    if ended[0] == 0:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended == (child, 0)


def _all(read: Callable[[Aws], Any], aws: Aws) -> list[Any]:
    return list(read(aws))


def _some(kind: str) -> str:
    """The name (a policy's ARN) of one that there is."""
    aws = way(1)
    if kind == "Policy":
        return str(aws.iam.list_policies(Scope="Local")["Policies"][0]["Arn"])
    return str(getattr(aws.iam, f"list_{kind.lower()}s")()[f"{kind}s"][0][f"{kind}Name"])
