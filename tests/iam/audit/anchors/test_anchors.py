"""Anchors: what somebody who owns the database does to the journal is found by what lies elsewhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.db import connection

from iam.audit.anchors.models import AnchorWrite
from iam.audit.anchors.places import AnchorPlaceError, place_of
from iam.audit.anchors.services import newest_writes, read_anchors, write_anchors
from iam.journal import triggers
from iam.journal.anchors import AnchorNote, heads_of
from iam.journal.chain import chain_pending
from iam.journal.models import Entry, JournalBlock, JournalLink, JournalVerification
from iam.journal.services import record
from iam.journal.signing_keys import verifiers
from iam.journal.tasks import verify_regularly

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
pytestmark = [pytest.mark.on_both, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """The place of anchors."""
    settings.JOURNAL_ANCHORS = [f"file:{tmp_path / 'anchors'}"]
    return tmp_path / "anchors"


@pytest.fixture
def journal(folder: Path) -> list[Entry]:
    """Nine entries in three blocks, an anchor after the third, and the triggers dropped."""
    entries = []
    for number in range(3):
        with time_machine.travel(NOON + timedelta(minutes=10 * number), tick=False):
            entries += [record(kind="role.assign", actor=None, subject=f"{number}-{i}") for i in range(3)]
            chain_pending()
    assert write_anchors(now=NOON) == 1
    triggers.drop(connection)
    return entries


def _sql(statement: str, *values: object) -> None:
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
    yield
    triggers.drop(connection)
    for table in ("journal_link", "journal_block", "journal_entry"):
        _sql(f"DELETE FROM {table}")
    triggers.create(connection)


def _verdict(*paths: Path) -> tuple[int, str]:
    """Exit code and output of the command; missing triggers alone would be 2."""
    triggers.create(connection)
    out = io.StringIO()
    try:
        call_command("verify_journal", "--anchors", *map(str, paths), stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def _background() -> JournalVerification:
    """What the scheduled verification finds."""
    verify_regularly.run()
    return JournalVerification.objects.order_by("-id")[0]


def _chain_anew(after: int) -> None:
    """Throw away the blocks after one, and compute the rest of the chain again, as whoever owns the database
    can.
    """
    _sql("DELETE FROM journal_link WHERE block_id > %s", after)
    _sql("DELETE FROM journal_block WHERE sequence > %s", after)
    with time_machine.travel(NOON + timedelta(minutes=25), tick=False):
        chain_pending()


def test_an_untouched_journal_agrees_with_its_anchors(journal: list[Entry]) -> None:
    code, out = _verdict()
    assert (code, "Checked against 1 anchor, the newest of block 3." in out) == (0, True)
    found = _background()
    assert (found.holds, found.anchors, found.anchor_problem) == (True, 1, "")


def test_a_deleted_row_is_found(journal: list[Entry]) -> None:
    _sql("DELETE FROM journal_entry WHERE id = %s", journal[4].id)
    assert _verdict()[0] == 1
    assert _background().holds is False


def test_an_inserted_row_is_found(journal: list[Entry]) -> None:
    _sql("UPDATE journal_entry SET id = %s WHERE id = %s", journal[8].id + 5, journal[8].id)
    _sql("UPDATE journal_link SET entry_id = %s WHERE entry_id = %s", journal[8].id + 5, journal[8].id)
    Entry(id=journal[8].id + 1, at=NOON, kind="role.assign", actor_label="Mallory").save(force_insert=True)
    assert _verdict()[0] == 1
    assert _background().holds is False


def test_reordered_rows_are_found(journal: list[Entry]) -> None:
    first, second = JournalLink.objects.filter(block_id=2).order_by("position")[:2]
    _sql("UPDATE journal_link SET position = %s WHERE entry_id = %s", 1, first.entry_id)
    _sql("UPDATE journal_link SET position = %s WHERE entry_id = %s", 0, second.entry_id)
    assert _verdict()[0] == 1
    assert _background().holds is False


def test_a_truncated_tail_is_found_by_the_anchor_alone(journal: list[Entry]) -> None:
    _sql("DELETE FROM journal_link WHERE block_id = 3")
    _sql("DELETE FROM journal_block WHERE sequence = 3")
    _sql("DELETE FROM journal_entry WHERE id > %s", journal[5].id)
    code, out = _verdict()
    assert code == 1
    assert "Block 3, which was noted down, is gone: the end was cut off." in out
    assert _background().holds is False
    call_command("verify_journal", stdout=io.StringIO())


def test_a_recomputed_tail_is_found_by_the_anchor_alone(journal: list[Entry]) -> None:
    _sql("UPDATE journal_entry SET actor_label = %s WHERE id = %s", "Mallory", journal[7].id)
    _chain_anew(after=2)
    assert JournalBlock.objects.count() == 3
    code, out = _verdict()
    assert code == 1
    assert "Block 3 is not the one that was noted down." in out
    assert _background().holds is False
    call_command("verify_journal", stdout=io.StringIO())


def test_a_whole_chain_that_was_recomputed_is_found(journal: list[Entry]) -> None:
    _chain_anew(after=0)
    assert _verdict()[0] == 1


def test_an_anchor_that_was_altered_is_a_problem_and_not_ignored(journal: list[Entry], folder: Path) -> None:
    path = next(folder.iterdir())
    path.write_text(path.read_text().replace("\n3\n", "\n2\n"))
    code, out = _verdict()
    assert code == 1
    assert "Anchor not verified." in out
    found = _background()
    assert found.holds is True
    assert "doesn’t fit" in found.anchor_problem


def test_two_anchors_that_contradict_each_other_are_said(journal: list[Entry], folder: Path) -> None:
    _chain_anew(after=2)
    _sql("UPDATE journal_block SET hash = %s WHERE sequence = 3", "0" * 64)
    (folder / "older").mkdir()
    next(folder.glob("*.note")).rename(folder / "000000000001.note")
    AnchorWrite.objects.all().delete()
    write_anchors(now=NOON)
    assert "Two anchors name different hashes of block 3." in _verdict()[1]


def test_named_files_are_read_and_a_missing_one_is_an_error(journal: list[Entry], folder: Path) -> None:
    path = next(folder.iterdir())
    assert _verdict(path)[0] == 0
    assert _verdict(folder)[0] == 0
    code, out = _verdict(folder / "gone.note")
    assert code == 1
    assert "isn’t there" in out


def test_without_any_anchor_the_command_says_so(folder: Path) -> None:
    code, out = _verdict()
    assert code == 1
    assert "No anchors were found." in out


def test_an_anchor_of_another_key_says_nothing(journal: list[Entry], settings: Any) -> None:
    settings.SIGNING_KEYS = ["another key " * 6]
    assert "No known key signed the note." in _verdict()[1]


def test_a_key_that_was_replaced_still_verifies(journal: list[Entry], settings: Any) -> None:
    settings.SIGNING_KEYS = ["another key " * 6, *settings.SIGNING_KEYS]
    assert _verdict()[0] == 0


def test_an_anchor_still_verifies_at_another_address(journal: list[Entry], settings: Any) -> None:
    settings.BASE_URL = "https://gatehouse.example.org"
    code, said = _verdict()
    assert "No known key" not in said
    assert code == 0


def test_an_anchor_is_written_once_for_each_block(journal: list[Entry], folder: Path) -> None:
    assert write_anchors(now=NOON) == 0
    assert [path.name for path in folder.iterdir()] == ["000000000003.note"]
    with time_machine.travel(NOON + timedelta(minutes=40), tick=False):
        record(kind="role.assign", actor=None)
        chain_pending()
    assert write_anchors(now=NOON) == 1
    assert len(read_anchors().notes) == 2


def test_a_mail_carries_the_note_as_it_was_signed(journal: list[Entry], settings: Any) -> None:
    settings.JOURNAL_ANCHORS = ["mailto:auditor@example.com"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert write_anchors(now=NOON) == 1
    name, note, _ = mail.outbox[-1].attachments[0]
    assert name == "000000000003.note"
    assert heads_of([AnchorNote(name, note)], verifiers()).hashes.keys() == {3}


def test_a_place_that_fails_does_not_stop_the_others(
    journal: list[Entry], settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    settings.JOURNAL_ANCHORS = [f"file:{tmp_path / 'file'}", f"file:{tmp_path / 'second'}"]
    assert write_anchors(now=NOON) == 1
    first, second = newest_writes()
    assert first.error
    assert not second.error


@pytest.mark.parametrize(
    "text", ["", "/anchors", "s3://bucket/x", "s3://bucket/x?region=r&days=0", "mailto:me", "ftp://x/y"]
)
def test_a_malformed_place_is_refused(text: str) -> None:
    with pytest.raises(AnchorPlaceError):
        place_of(text)
