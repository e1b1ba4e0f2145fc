"""Anyone who gets around the triggers and alters the journal is found, and the first broken place is
named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection

from iam.journal import triggers
from iam.journal.chain import GENESIS, block_hash, chain_pending, entry_hash, stamp
from iam.journal.models import Entry, JournalBlock, JournalLink, JournalVerification
from iam.journal.services import record
from iam.journal.tasks import verify_journal, verify_regularly
from iam.journal.verify import ask_for_verification, verify

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
pytestmark = [pytest.mark.on_both, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def journal() -> list[Entry]:
    """Nine entries in three blocks, ten minutes apart, and the triggers dropped."""
    entries = []
    for number in range(3):
        with time_machine.travel(NOON + timedelta(minutes=10 * number), tick=False):
            entries += [record(kind="role.assign", actor=None, subject=f"{number}-{i}") for i in range(3)]
            chain_pending()
    triggers.drop(connection)
    return entries


def _sql(statement: str, *values: object) -> None:
    """One statement of somebody who owns the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA foreign_keys = OFF")
            cursor.execute(statement, values)
            cursor.execute("PRAGMA foreign_keys = ON")
        else:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(statement, values)
            cursor.execute("SET session_replication_role = origin")


@pytest.fixture(autouse=True)
def _mended() -> Iterator[None]:
    """Foreign keys that a test broke must not stop the flush."""
    yield
    triggers.drop(connection)
    for table in ("journal_link", "journal_block", "journal_entry"):
        _sql(f"DELETE FROM {table}")


def test_an_untouched_journal_holds(journal: list[Entry]) -> None:
    verdict = verify()
    assert verdict.is_intact
    assert (verdict.blocks, verdict.entries, verdict.head_sequence) == (3, 9, 3)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("subject", "somebody else"),
        ("actor_label", "Mallory"),
        ("kind", "role.remove"),
        ("data_json", '{"a":1}'),
        ("ip", "198.51.100.1"),
        ("account_id", "222222222222"),
        ("at", NOON + timedelta(minutes=11)),
    ],
)
def test_a_changed_entry_is_named(journal: list[Entry], column: str, value: object) -> None:
    _sql(f"UPDATE journal_entry SET {column} = %s WHERE id = %s", value, journal[4].id)
    broken = verify().broken
    assert broken is not None
    assert (broken.block, broken.entry) == (2, journal[4].id)
    assert "was changed" in broken.sentence


def test_a_changed_entry_with_its_hash_made_to_match_breaks_the_block(journal: list[Entry]) -> None:
    entry = journal[4]
    _sql("UPDATE journal_entry SET subject = 'x' WHERE id = %s", entry.id)
    entry.refresh_from_db()
    _sql("UPDATE journal_link SET hash = %s WHERE entry_id = %s", entry_hash(entry), entry.id)
    broken = verify().broken
    assert broken is not None
    assert broken.block == 2
    assert "does not match its hash" in broken.sentence


def test_a_block_whose_hash_was_made_to_match_is_contradicted_by_the_next(journal: list[Entry]) -> None:
    entry = journal[4]
    _sql("UPDATE journal_entry SET subject = 'x' WHERE id = %s", entry.id)
    entry.refresh_from_db()
    _sql("UPDATE journal_link SET hash = %s WHERE entry_id = %s", entry_hash(entry), entry.id)
    block = JournalBlock.objects.get(sequence=2)
    hashes = list(JournalLink.objects.filter(block=2).order_by("position").values_list("hash", flat=True))
    _sql("UPDATE journal_block SET hash = %s WHERE sequence = 2", block_hash(block, hashes))
    broken = verify().broken
    assert broken is not None
    assert broken.block == 3
    assert "does not continue" in broken.sentence


def test_a_chain_that_was_rewritten_whole_is_shown_by_what_was_noted_down(journal: list[Entry]) -> None:
    noted = JournalBlock.objects.get(sequence=2)
    previous = GENESIS
    _sql("UPDATE journal_entry SET subject = 'x' WHERE id = %s", journal[0].id)
    for block in JournalBlock.objects.order_by("sequence"):
        links = list(JournalLink.objects.filter(block=block).select_related("entry").order_by("position"))
        for link in links:
            _sql(
                "UPDATE journal_link SET hash = %s WHERE entry_id = %s", entry_hash(link.entry), link.entry_id
            )
        block.previous = previous
        previous = block_hash(block, [entry_hash(link.entry) for link in links])
        _sql(
            "UPDATE journal_block SET previous = %s, hash = %s WHERE sequence = %s",
            block.previous,
            previous,
            block.sequence,
        )
    assert verify().is_intact
    broken = verify(expect={2: noted.hash}).broken
    assert broken is not None
    assert "noted down" in broken.sentence


def test_a_chain_that_was_cut_off_is_shown_by_what_was_noted_down(journal: list[Entry]) -> None:
    head = JournalBlock.objects.get(sequence=3)
    _sql("DELETE FROM journal_link WHERE block_id = 3")
    _sql("DELETE FROM journal_block WHERE sequence = 3")
    assert verify().tail == 3
    broken = verify(expect={3: head.hash}).broken
    assert broken is not None
    assert "gone" in broken.sentence


def test_a_deleted_entry_is_named(journal: list[Entry]) -> None:
    _sql("DELETE FROM journal_entry WHERE id = %s", journal[5].id)
    broken = verify().broken
    assert broken is not None
    assert (broken.block, broken.entry) == (2, journal[5].id)
    assert broken.sentence == f"Entry {journal[5].id} is gone."


def test_an_entry_deleted_with_its_link_breaks_the_block(journal: list[Entry]) -> None:
    _sql("DELETE FROM journal_link WHERE entry_id = %s", journal[5].id)
    _sql("DELETE FROM journal_entry WHERE id = %s", journal[5].id)
    broken = verify().broken
    assert broken is not None
    assert broken.sentence == "Block 2 was made with 3 entries and has 2."


def test_reordered_entries_break_the_block(journal: list[Entry]) -> None:
    _sql("UPDATE journal_link SET position = 9 WHERE entry_id = %s", journal[3].id)
    broken = verify().broken
    assert broken is not None
    assert broken.block == 2
    assert "reordered" in broken.sentence


def test_entries_exchanged_between_blocks_break_the_first_of_them(journal: list[Entry]) -> None:
    _sql("UPDATE journal_link SET block_id = 3 WHERE entry_id = %s", journal[0].id)
    _sql("UPDATE journal_link SET block_id = 1 WHERE entry_id = %s", journal[8].id)
    broken = verify().broken
    assert broken is not None
    assert broken.block == 1


@pytest.mark.parametrize("number", [1, 2])
def test_a_deleted_block_is_named(journal: list[Entry], number: int) -> None:
    _sql("DELETE FROM journal_block WHERE sequence = %s", number)
    broken = verify().broken
    assert broken is not None
    assert broken.block == number
    assert "gone" in broken.sentence


def test_a_deleted_last_block_is_named_by_the_links_it_leaves(journal: list[Entry]) -> None:
    _sql("DELETE FROM journal_block WHERE sequence = 3")
    broken = verify().broken
    assert broken is not None
    assert broken.block == 3


@pytest.mark.parametrize("column", ["previous", "hash"])
def test_a_changed_block_is_named(journal: list[Entry], column: str) -> None:
    _sql(f"UPDATE journal_block SET {column} = %s WHERE sequence = 2", "f" * 64)
    broken = verify().broken
    assert broken is not None
    assert broken.block == 2


def test_an_entry_put_in_later_with_an_old_id_is_named(journal: list[Entry]) -> None:
    """Long after, in the gap that a rolled-back transaction left."""
    with time_machine.travel(NOON + timedelta(hours=3), tick=False):
        chain_pending()
        forged = Entry.objects.get(pk=journal[0].pk)
        _sql("UPDATE journal_block SET highest = highest WHERE sequence = 1")
        forged.id = -5
        forged.save(force_insert=True)
        assert chain_pending() == 0
        broken = verify().broken
    assert broken is not None
    assert broken.entry == -5
    assert "put in below" in broken.sentence


def test_an_entry_that_is_dated_back_is_named(journal: list[Entry]) -> None:
    """With a fresh id: it is chained like any other, but says a time that cannot be."""
    with time_machine.travel(NOON + timedelta(hours=5), tick=False):
        chain_pending()
    with time_machine.travel(NOON + timedelta(hours=5, minutes=1), tick=False):
        forged = record(kind="role.assign", actor=None)
        _sql("UPDATE journal_entry SET at = %s WHERE id = %s", NOON + timedelta(minutes=5), forged.id)
        chain_pending()
        verdict = verify()
    assert verdict.is_intact
    (warning,) = verdict.open_warnings
    assert warning.entries == (forged.id,)
    assert "was added about 24 Nov 2026, 17:01:00 UTC" in warning.sentence


@pytest.fixture
def skewed(journal: list[Entry]) -> Entry:
    """An entry that a host whose clock was ten minutes ahead dated, as it happened before the database dated
    them; others follow.
    """
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        ahead = record(kind="role.assign", actor=None)
        _sql(
            "UPDATE journal_entry SET at = %s WHERE id = %s", NOON + timedelta(hours=1, minutes=10), ahead.id
        )
        chain_pending()
        record(kind="role.assign", actor=None)
        chain_pending()
    return ahead


def test_a_clock_that_was_ahead_does_not_hide_a_later_forgery(skewed: Entry) -> None:
    verdict = verify()
    assert verdict.is_intact
    assert (verdict.head_sequence, len(verdict.open_warnings)) == (5, 1)
    last = Entry.objects.latest("id")
    _sql("UPDATE journal_entry SET subject = 'x' WHERE id = %s", last.id)
    broken = verify().broken
    assert broken is not None
    assert broken.entry == last.id


def test_a_wrong_date_can_be_acknowledged_as_an_entry(skewed: Entry) -> None:
    triggers.create(connection)
    code, text = _run()
    assert code == 2
    assert f"Wrong date in block 4: Entry {skewed.id} says" in text
    verify_regularly()
    kept = JournalVerification.objects.latest("id")
    assert (kept.holds, kept.warnings) == (True, 1)
    assert f"Entry {skewed.id} says" in kept.warning
    with time_machine.travel(NOON + timedelta(hours=2), tick=False):
        code, text = _run("--acknowledge", "The clock of worker 2 was ahead")
        assert code == 0, text
        entry = Entry.objects.latest("id")
        assert (entry.kind, entry.data["reason"]) == (
            "journal.dating_acknowledged",
            "The clock of worker 2 was ahead",
        )
        chain_pending()
        assert _run()[0] == 0
        answer = json.loads(_run("--json")[1])
    assert [warning["acknowledged"] for warning in answer["dating"]] == [True]
    triggers.drop(connection)


def test_what_is_still_to_come_cannot_be_acknowledged(journal: list[Entry]) -> None:
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        record(
            kind="journal.dating_acknowledged", actor=None, data={"blocks": {"4": 1, "5": 1}, "reason": "x"}
        )
        chain_pending()
        forged = record(kind="role.assign", actor=None)
        _sql("UPDATE journal_entry SET at = %s WHERE id = %s", NOON - timedelta(days=3), forged.id)
        chain_pending()
        (warning,) = verify().open_warnings
    assert (warning.block, warning.entries) == (5, (forged.id,))


def test_the_hash_can_be_recomputed_without_gatehouse(journal: list[Entry]) -> None:
    """The formula as the manual states it, written out once more without our functions."""
    import hashlib

    link = JournalLink.objects.select_related("entry", "block").get(entry_id=journal[0].id)
    entry, block = link.entry, link.block
    fields = {
        name: getattr(entry, name)
        for name in ("id", "kind", "actor_label", "actor_email", "subject", "account_id", "request_id", "ip")
    } | {"at": "2026-11-24T12:00:00.000000+00:00", "actor_id": None, "data": "{}"}
    line = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(line.encode()).hexdigest() == link.hash
    header = {
        "count": 3,
        "total": 3,
        "highest": block.highest,
        "made_at": stamp(NOON),
        "previous": "0" * 64,
        "sequence": 1,
    }
    hashes = JournalLink.objects.filter(block=1).order_by("position").values_list("hash", flat=True)
    lines = [json.dumps(header, sort_keys=True, separators=(",", ":")), *hashes]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == block.hash


def _run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_journal", *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_that_the_chain_holds_and_warns_of_lost_triggers(journal: list[Entry]) -> None:
    code, text = _run()
    assert code == 2
    assert "The chain holds: 9 entries in 3 blocks" in text
    assert "Triggers were missing" in text
    code, text = _run("--restore-triggers")
    assert code == 0
    assert triggers.missing(connection) == []
    assert Entry.objects.latest("id").kind == "journal.triggers_restored"
    assert _run()[0] == 0


def test_the_command_names_the_broken_place_and_fails(journal: list[Entry]) -> None:
    _sql("UPDATE journal_entry SET subject = 'x' WHERE id = %s", journal[4].id)
    code, text = _run()
    assert code == 1
    assert f"Entry {journal[4].id} was changed." in text
    code, text = _run("--json")
    answer = json.loads(text)
    assert code == 1
    assert answer["holds"] is False
    assert answer["broken"]["entry"] == journal[4].id
    assert answer["head"]["sequence"] == 1


def test_the_command_reports_the_unchained_tail(journal: list[Entry]) -> None:
    triggers.create(connection)
    with time_machine.travel(NOON + timedelta(minutes=30), tick=False):
        record(kind="role.assign", actor=None)
    with time_machine.travel(NOON + timedelta(minutes=30, seconds=90), tick=False):
        code, text = _run("--json")
    answer = json.loads(text)
    assert answer["tail"] == {"count": 1, "oldest_seconds": 90.0}
    assert (answer["holds"], code) == (True, 2)


def test_the_command_takes_a_noted_hash(journal: list[Entry]) -> None:
    triggers.create(connection)
    block = JournalBlock.objects.get(sequence=2)
    assert _run("--expect", f"2:{block.hash}")[0] == 0
    assert _run("--expect", f"2:{'a' * 64}")[0] == 1


def test_an_asked_verification_is_run_once_and_kept(journal: list[Entry]) -> None:
    asked = ask_for_verification()
    assert ask_for_verification() == asked
    verify_journal(asked.pk)
    verify_journal(asked.pk)
    kept = JournalVerification.objects.get()
    assert (kept.holds, kept.sequence, kept.entries, kept.sentence) == (True, 3, 9, "")
    _sql("UPDATE journal_entry SET subject = 'x' WHERE id = %s", journal[4].id)
    verify_regularly()
    latest = JournalVerification.objects.latest("id")
    assert (latest.holds, latest.sequence) == (False, 1)
    assert "was changed" in latest.sentence


def test_old_verifications_are_forgotten(journal: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iam.journal.verify.KEEP", 2)
    for _ in range(4):
        verify_regularly()
    assert JournalVerification.objects.count() == 2


def test_a_block_that_counts_wrongly_is_named(journal: list[Entry]) -> None:
    block = JournalBlock.objects.get(sequence=3)
    block.total = 8
    hashes = list(JournalLink.objects.filter(block=3).order_by("position").values_list("hash", flat=True))
    _sql("UPDATE journal_block SET total = 8, hash = %s WHERE sequence = 3", block_hash(block, hashes))
    broken = verify().broken
    assert broken is not None
    assert broken.block == 3
