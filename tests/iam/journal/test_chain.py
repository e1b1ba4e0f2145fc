"""Entries are gathered into blocks by one chainer at a time, without holding up those who write."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
import time_machine
from django.db import connection, connections, transaction

from iam.journal import chain, triggers
from iam.journal.chain import GENESIS, chain_pending
from iam.journal.models import Entry, JournalBlock, JournalLink
from iam.journal.services import record
from iam.journal.tasks import chain_journal
from iam.journal.verify import verify
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.on_both

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def _write(count: int) -> list[Entry]:
    return [record(kind="role.assign", actor=None, subject=str(i)) for i in range(count)]


@pytest.mark.django_db
def test_entries_wait_until_the_beat_and_are_then_in_a_block() -> None:
    entries = _write(3)
    assert verify().tail == 3
    chain_journal()
    block = JournalBlock.objects.get()
    assert (block.sequence, block.previous, block.count, block.highest) == (1, GENESIS, 3, entries[-1].id)
    verdict = verify()
    assert (verdict.is_intact, verdict.entries, verdict.tail, verdict.head) == (True, 3, 0, block.hash)


@pytest.mark.django_db
def test_a_block_continues_the_block_before() -> None:
    _write(1)
    chain_pending()
    _write(1)
    chain_pending()
    first, second = JournalBlock.objects.order_by("sequence")
    assert second.previous == first.hash


@pytest.mark.django_db
def test_a_second_run_finds_nothing_to_do() -> None:
    _write(2)
    assert chain_pending() == 2
    assert chain_pending() == 0
    assert JournalBlock.objects.count() == 1


@pytest.mark.django_db
def test_a_long_tail_is_taken_in_blocks_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "BATCH", 4)
    _write(10)
    assert chain_pending() == 10
    assert list(JournalBlock.objects.order_by("sequence").values_list("count", flat=True)) == [4, 4, 2]
    assert verify().is_intact


@pytest.mark.django_db
def test_a_quiet_hour_is_sealed_by_an_empty_block() -> None:
    with time_machine.travel(NOON, tick=False):
        _write(1)
        chain_pending()
    with time_machine.travel(NOON + timedelta(minutes=59), tick=False):
        chain_pending()
        assert JournalBlock.objects.count() == 1
    with time_machine.travel(NOON + timedelta(minutes=60), tick=False):
        chain_pending()
        assert JournalBlock.objects.get(sequence=2).count == 0
        assert verify().is_intact


@pytest.mark.django_db
def test_an_empty_journal_makes_no_block() -> None:
    assert chain_pending() == 0
    assert not JournalBlock.objects.exists()


@pytest.mark.django_db
def test_the_head_of_the_chain_is_also_logged() -> None:
    _write(1)
    with structlog.testing.capture_logs() as logs:
        chain_pending()
    assert [(log["event"], log["hash"]) for log in logs] == [
        ("journal.chained", JournalBlock.objects.get().hash)
    ]


@pytest.mark.django_db
def test_an_entry_that_becomes_visible_late_is_still_taken() -> None:
    """Ids are given before the commit: a lower one can appear after a higher one was chained."""
    early, late = _write(2)
    held_back = _copy_with_id(early, early.id)
    _lift_out(early)
    chain_pending()
    assert JournalLink.objects.get().entry_id == late.id
    held_back.save(force_insert=True)
    chain_pending()
    assert verify().is_intact
    assert list(JournalLink.objects.order_by("block_id").values_list("entry_id", flat=True)) == [
        late.id,
        early.id,
    ]


@pytest.mark.django_db
def test_what_was_on_its_way_when_the_chainer_stopped_for_days_is_taken() -> None:
    with time_machine.travel(NOON, tick=False):
        early, _ = _write(2)
        held_back = _copy_with_id(early, early.id)
        _lift_out(early)
        chain_pending()
    with time_machine.travel(NOON + timedelta(days=3), tick=False):
        held_back.save(force_insert=True)
        chain_pending()
        assert verify().is_intact
    assert JournalLink.objects.filter(entry_id=early.id).exists()


def _copy_with_id(entry: Entry, number: int) -> Entry:
    made = Entry.objects.get(pk=entry.pk)
    made.id = number
    return made


def _lift_out(entry: Entry) -> None:
    connection.check_constraints()
    triggers.drop(connection)
    Entry.objects.filter(pk=entry.pk).delete()
    connection.check_constraints()
    triggers.create(connection)


@pytest.fixture
def shared_database(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """A database that threads reach by connections of their own: SQLite's in-memory one locks whole tables
    instead.
    """
    if connection.vendor != "sqlite":
        yield
        return
    file = tmp_path / "shared.sqlite3"
    with closing(sqlite3.connect(file)) as target:
        connection.ensure_connection()
        connection.connection.backup(target)
    with pytest.MonkeyPatch.context() as patch:
        # Only threads that begin now: closing the in-memory database, as a late request of a browser does,
        # would end it.
        patch.setitem(connections.settings, "default", {**connection.settings_dict, "NAME": str(file)})
        yield


def _in_threads(*works: Callable[[], object]) -> list[object]:
    """What each returned, or raised; every thread closes its connection."""
    results: list[object] = [None] * len(works)

    def run(i: int) -> None:
        try:
            results[i] = works[i]()
        except Exception as error:  # noqa: BLE001
            results[i] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.usefixtures("shared_database")
def test_many_writers_and_two_chainers_at_once_leave_one_whole_chain() -> None:
    writers, each = 4, 25
    running = threading.Semaphore(0)

    def write() -> None:
        try:
            for i in range(each):
                with transaction.atomic():
                    record(kind="role.assign", actor=None, subject=str(i))
        finally:
            running.release()

    def beat() -> int:
        taken = 0
        while not all_written.wait(0.005):
            taken += chain_pending()
        return taken

    def finish() -> None:
        for _ in range(writers):
            running.acquire(timeout=PATIENCE_S)
        all_written.set()

    all_written = threading.Event()
    results = _in_threads(*[write] * writers, beat, beat, finish)
    assert not [r for r in results if isinstance(r, Exception)]

    def look() -> tuple[object, int, int, int]:
        chain_pending()
        verdict = verify()
        return verdict.broken, verdict.entries, verdict.tail, JournalLink.objects.count()

    assert _in_threads(look) == [(None, writers * each, 0, writers * each)]


# SQLite has one writer: its ids become visible in order.
if connection.vendor != "sqlite":

    @pytest.mark.django_db(transaction=True)
    def test_a_writer_that_commits_late_is_chained_after_a_higher_id() -> None:
        began, proceed = threading.Event(), threading.Event()

        def slow() -> None:
            with transaction.atomic():
                record(kind="role.assign", actor=None, subject="slow")
                began.set()
                proceed.wait(PATIENCE_S)
            connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        began.wait(PATIENCE_S)
        record(kind="role.assign", actor=None, subject="quick")
        assert chain_pending() == 1, "the open transaction must not hold up the chain"
        proceed.set()
        thread.join()
        assert chain_pending() == 1
        assert list(Entry.objects.order_by("link__block_id").values_list("subject", flat=True)) == [
            "quick",
            "slow",
        ]
        assert Entry.objects.order_by("id").first().subject == "slow"
        assert verify().is_intact


@pytest.mark.django_db(transaction=True)
def test_when_another_chainer_was_first_ours_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    _write(2)
    real = chain.block_hash

    def other_first(block: JournalBlock, hashes: list[str]) -> str:
        monkeypatch.setattr(chain, "block_hash", real)
        chain_pending()
        return real(block, hashes)

    monkeypatch.setattr(chain, "block_hash", other_first)
    assert chain_pending() == 0
    assert JournalBlock.objects.count() == 1
    assert verify().is_intact
