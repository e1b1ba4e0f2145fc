"""Many read the index at a time; who finds it behind does not wait long, unless what is decided depends on
it.
"""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable
from threading import Event, Thread

import pytest

from iam.access.index_cache import cached
from iam.mirror.models import Account
from iam.mirror.pull import revisions
from iam.mirror.snapshot import forget, moment, snapshot
from iam.mirror.snapshot.gate import ReadWriteLock
from tests import factories as make
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.on_both


def in_a_thread(work: Callable[[], object]) -> Thread:
    """Work that is under way."""
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def ended(thread: Thread) -> bool:
    """Whether it has come to its end."""
    thread.join(PATIENCE_S)
    return not thread.is_alive()


class Holding:
    """Somebody who reads until they are let go."""

    def __init__(self, gate: ReadWriteLock) -> None:
        self._gate, self._began, self._may_go = gate, Event(), Event()
        self._thread = in_a_thread(self._read)
        assert self._began.wait(PATIENCE_S)

    def _read(self) -> None:
        with self._gate.reading():
            self._began.set()
            self._may_go.wait(PATIENCE_S)

    def end(self) -> None:
        """Let them go."""
        self._may_go.set()
        assert ended(self._thread)


def test_readers_do_not_wait_for_each_other() -> None:
    gate = ReadWriteLock()
    holding = Holding(gate)
    Holding(gate).end()
    holding.end()


def test_a_change_waits_for_readers_and_keeps_new_ones_out() -> None:
    gate, order = ReadWriteLock(), list[str]()
    holding = Holding(gate)

    def change() -> None:
        with gate.changing() as is_alone:
            order.append(f"changed {is_alone}")

    def read() -> None:
        with gate.reading():
            order.append("read")

    changing = in_a_thread(change)
    while not gate._waits:
        time.sleep(0.001)
    reading = in_a_thread(read)
    time.sleep(0.02)
    assert order == []
    holding.end()
    assert ended(changing)
    assert ended(reading)
    assert order == ["changed True", "read"]


def test_a_change_that_is_not_urgent_gives_up_and_keeps_nobody_out() -> None:
    gate = ReadWriteLock()
    holding = Holding(gate)
    with gate.changing(0.01, is_urgent=False) as is_alone:
        assert not is_alone
    Holding(gate).end()
    holding.end()
    with gate.changing(0.01, is_urgent=False) as is_alone:
        assert is_alone


def test_an_error_of_a_reader_or_of_a_change_lets_others_in() -> None:
    gate = ReadWriteLock()
    for enter in (gate.reading, gate.changing):
        with pytest.raises(ZeroDivisionError), enter():
            raise ZeroDivisionError
    with gate.changing(1) as is_alone:
        assert is_alone


def test_who_reads_may_read_again_although_a_change_waits() -> None:
    gate = ReadWriteLock()

    def change() -> None:
        with gate.changing():
            pass

    with gate.reading():
        changing = in_a_thread(change)
        while not gate._waits:
            time.sleep(0.001)
        with gate.reading():
            pass
    assert ended(changing)


def names(*, may_lag: bool) -> list[str]:
    """The users in the index."""
    with snapshot(may_lag=may_lag) as index:
        return sorted(member.name for member in index.members if ":user/" in member.arn)


@pytest.fixture
def account(db: None) -> Account:
    """An account with one user, which is in the index."""
    made = make.account()
    make.user(made, "maya")
    assert names(may_lag=False) == ["maya"]
    return made


def write(account: Account, name: str) -> None:
    """A user who comes."""
    user = make.user(account, name)
    revisions.note_written(account.pk, [user.pk])


def test_a_page_shows_what_was_before_while_somebody_reads_the_index(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment, "WAIT_SECONDS", 0.01)
    somebody = Holding(snapshot_gate())
    write(account, "tomas")
    assert names(may_lag=True) == ["maya"]
    somebody.end()
    assert names(may_lag=True) == ["maya", "tomas"]


def test_a_page_that_was_behind_for_long_waits_for_the_change(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment, "WAIT_SECONDS", 0.01)
    somebody = Holding(snapshot_gate())
    write(account, "tomas")
    assert names(may_lag=True) == ["maya"]
    monkeypatch.setattr(moment, "LAG_SECONDS", 0)
    later = in_a_thread(lambda: (time.sleep(0.05), somebody._may_go.set()))
    assert names(may_lag=True) == ["maya", "tomas"]
    assert ended(later)


def test_a_page_waits_for_what_was_written_since_anybody_last_asked(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment, "WAIT_SECONDS", 0.01)
    somebody = Holding(snapshot_gate())
    write(account, "tomas")
    index_of_now()._current_at[account.account_id] -= 2 * moment.LAG_SECONDS
    later = in_a_thread(lambda: (time.sleep(0.05), somebody._may_go.set()))
    assert names(may_lag=True) == ["maya", "tomas"]
    assert ended(later)


def test_what_is_decided_by_the_index_waits_for_what_was_written(account: Account) -> None:
    somebody = Holding(snapshot_gate())
    write(account, "tomas")
    later = in_a_thread(lambda: (time.sleep(0.05), somebody._may_go.set()))
    assert names(may_lag=False) == ["maya", "tomas"]
    assert ended(later)


def index_of_now() -> moment.MomentIndex:
    """The index of now, with its gate."""
    from iam.mirror.snapshot import _moments

    return _moments[None]


def snapshot_gate() -> ReadWriteLock:
    """The gate of the index of now."""
    return index_of_now().gate


def test_what_was_worked_out_goes_with_the_index(account: Account) -> None:
    class Large:
        """Holds the index, as answers do."""

        def __init__(self, index: object) -> None:
            self.index = index

    with snapshot() as index:
        large = weakref.ref(cached(index, "large", lambda: Large(index)))
        assert cached(index, "large", lambda: Large(None)) is large()
    write(account, "tomas")
    with snapshot() as index:
        assert cached(index, "large", lambda: Large(None)).index is None
    gc.collect()
    assert large() is None
    forget()
    assert index.derived == {}
