"""The retention removes old entries up to an anchor, exported and recorded; everything else that is gone, and
every record that isn't the signed one, is found.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from iam.audit.anchors.services import write_anchors
from iam.audit.evidence.journal_excerpt import ExcerptScope, write_excerpt
from iam.audit.evidence.models import EvidencePack, PackKind
from iam.audit.evidence.pack_files import PackFiles
from iam.audit.evidence.verify_evidence import verify as verify_pack
from iam.audit.retention import services
from iam.audit.retention.services import RetentionRefusedError, prune, retention_plan
from iam.audit.retention.tasks import prune_journal
from iam.audit.siem.models import ExportPosition
from iam.audit.siem.services import _next_batch
from iam.journal import triggers
from iam.journal.chain import chain_pending
from iam.journal.models import Entry, JournalBlock, JournalCut, JournalLink, JournalVerification
from iam.journal.services import record
from iam.journal.signing_keys import signer
from iam.journal.tasks import verify_regularly

NOON = datetime(2024, 11, 24, 12, 0, tzinfo=UTC)
NOW = NOON + timedelta(days=500)
pytestmark = [pytest.mark.on_both, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _setting(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.JOURNAL_ANCHORS = [f"file:{tmp_path / 'anchors'}"]
    settings.JOURNAL_EXPORTS = str(tmp_path / "exports")
    settings.JOURNAL_DAYS = 400
    yield
    triggers.drop(connection)
    for table in ("journal_cut", "journal_link", "journal_block", "journal_entry"):
        _sql(f"DELETE FROM {table}")
    triggers.create(connection)


def _sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _hostile(statement: str, *values: object) -> None:
    """What whoever owns the database can do, and tidy up after."""
    triggers.drop(connection)
    _sql(statement, *values)
    triggers.create(connection)


@contextmanager
def _at(moment: datetime) -> Iterator[None]:
    """A moment for entries and blocks too: the database of PostgreSQL has a clock of its own."""
    with time_machine.travel(moment, tick=False), pytest.MonkeyPatch.context() as patch:
        patch.setattr("iam.journal.clock.ON_DATABASE", frozenset())
        yield


def _written(day: int, subjects: list[str], *, kind: str = "role.assign") -> list[Entry]:
    with _at(NOON + timedelta(days=day)):
        entries = [record(kind=kind, actor=None, subject=subject) for subject in subjects]
        chain_pending()
    return entries


@pytest.fixture
def kept() -> Entry:
    """Before all others, an entry of a kind that stays."""
    [entry] = _written(0, ["kept"], kind="account.disconnect")
    return entry


@pytest.fixture
def journal() -> list[Entry]:
    """Three old blocks and a new one of three entries each, with an anchor after the last."""
    entries: list[Entry] = []
    for number, day in enumerate((0, 1, 2, 499)):
        entries += _written(day, [f"{number}-{i}" for i in range(3)])
    write_anchors(now=NOW)
    return entries


def _prune() -> list[JournalCut]:
    with _at(NOW):
        cuts = prune(now=NOW, actor=None)
        chain_pending()
    return cuts


def _verdict(*options: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("verify_journal", *options, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def _is_found(sentence: str) -> bool:
    """Both ways of verification, and the command with and without anchors."""
    verify_regularly.run()
    background = JournalVerification.objects.order_by("-id")[0]
    plain, anchored = _verdict(), _verdict("--anchors")
    codes = {plain[0], anchored[0], 0 if background.holds else 1}
    return codes == {1} and sentence in plain[1] and sentence in background.sentence


def test_old_entries_are_removed_and_the_chain_still_verifies(journal: list[Entry]) -> None:
    [cut] = _prune()
    assert (cut.count, cut.removed, cut.block) == (9, 9, 3)
    left = list(Entry.objects.order_by("id").values_list("subject", flat=True))
    assert left[:3] == ["3-0", "3-1", "3-2"]
    code, text = _verdict("--anchors")
    assert (code, "9 of these entries were removed by the retention setting." in text) == (0, True)
    assert triggers.missing(connection) == []
    noted = Entry.objects.get(kind="journal.prune")
    assert (noted.data["entries"], noted.data["to_block"]) == (9, 3)
    assert noted.data["sha256"] == cut.export_sha256


def test_the_export_has_the_entries_and_verifies_alone(journal: list[Entry]) -> None:
    [cut] = _prune()
    lines, wrong = verify_pack(cut.export, str(signer().verifier))
    assert (wrong, any("journal chain" in line for line in lines)) == (set(), True)
    with zipfile.ZipFile(cut.export) as pack:
        rows = [json.loads(line) for line in pack.read("journal/entries.jsonl").splitlines()]
    assert [json.loads(row["canonical"])["subject"] for row in rows] == [
        f"{number}-{i}" for number in range(3) for i in range(3)
    ]


def test_a_second_removal_covers_the_first(journal: list[Entry], settings: Any) -> None:
    _prune()
    later = NOW + timedelta(days=500)
    _written(999, ["4-0"])
    write_anchors(now=later)
    with _at(later):
        [cut] = prune(now=later, actor=None)
        chain_pending()
    assert cut.removed == 12
    assert cut.count == 3
    assert _verdict("--anchors")[0] == 0


def test_many_entries_are_removed_in_rounds(journal: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST", 4)
    assert [cut.count for cut in _prune()] == [4, 4, 1]
    assert _verdict("--anchors")[0] == 0


def test_nothing_is_removed_beyond_the_newest_anchor(tmp_path: Path) -> None:
    _written(0, ["a"])
    write_anchors(now=NOON)
    _written(1, ["b"])
    [cut] = _prune()
    assert (cut.block, cut.count) == (1, 1)
    assert Entry.objects.filter(subject="b").exists()


@pytest.mark.parametrize("case", ["no anchor", "no setting", "an anchor that isn't valid", "a broken chain"])
def test_nothing_is_removed_without_what_proves_the_rest(
    journal: list[Entry], settings: Any, tmp_path: Path, case: str
) -> None:
    [note] = (tmp_path / "anchors").glob("*.note")
    if case == "no anchor":
        note.unlink()
    elif case == "no setting":
        settings.JOURNAL_DAYS = 0
    elif case == "an anchor that isn't valid":
        note.write_text(note.read_text().replace("made ", "made  "))
    else:
        _hostile("UPDATE journal_entry SET subject = 'x' WHERE id = %s", journal[10].id)
    with pytest.raises(RetentionRefusedError):
        _prune()
    assert (Entry.objects.count(), JournalCut.objects.count()) == (12, 0)


def test_kinds_that_pages_of_the_past_read_stay(kept: Entry, journal: list[Entry]) -> None:
    _prune()
    assert Entry.objects.filter(subject="kept").exists()
    assert _verdict("--anchors")[0] == 0


def test_what_is_being_built_keeps_its_period(journal: list[Entry]) -> None:
    EvidencePack.objects.create(
        kind=PackKind.PERIOD,
        title="x",
        since=NOON + timedelta(hours=12),
        until=NOW,
        seed="s",
        sample_size=1,
        requested_by="7f9c2f4e-7cb2-4b58-9df4-111111111111",
        requested_name="x",
        requested_at=NOW,
    )
    plan = retention_plan(now=NOW)
    assert plan.hold is not None
    assert "evidence pack EVD-" in plan.hold.reason
    [cut] = _prune()
    assert (cut.count, cut.block) == (3, 1)


def test_what_the_siem_lacks_stays(journal: list[Entry], settings: Any) -> None:
    settings.SIEM_SYSLOG = "udp://127.0.0.1:5140"
    assert _prune() == []
    [key] = [receiver.key for receiver in services_receivers()]
    ExportPosition.objects.create(receiver=key, block=2, position=2, sent=6)
    [cut] = _prune()
    assert cut.block == 1
    batch = _next_batch(ExportPosition(receiver="new", block=0, position=-1))
    assert batch[0].block == 2


def services_receivers() -> list[Any]:
    """The receivers of the setting."""
    from iam.audit.siem.receivers import configured_receivers

    return configured_receivers()


def test_an_excerpt_of_removed_blocks_verifies(kept: Entry, journal: list[Entry], tmp_path: Path) -> None:
    _prune()
    scope = ExcerptScope(NOON, NOW + timedelta(days=1), None)
    with PackFiles(tmp_path / "pack.zip", signer=signer(), about={}) as files:
        write_excerpt(files, scope, signer=signer())
    assert verify_pack(str(tmp_path / "pack.zip"), str(signer().verifier))[1] == set()


def test_the_task_removes_where_the_role_owns_the_tables(journal: list[Entry], settings: Any) -> None:
    with _at(NOW):
        prune_journal.run()
    assert Entry.objects.count() == 4
    settings.JOURNAL_DAYS = 0
    prune_journal.run()
    assert JournalCut.objects.count() == 1


def test_the_command_says_what_it_does(journal: list[Entry], settings: Any) -> None:
    out = io.StringIO()
    with _at(NOW):
        call_command("prune_journal", "--dry-run", stdout=out)
        assert Entry.objects.count() == 12
        call_command("prune_journal", stdout=out)
        call_command("prune_journal", stdout=out)
    text = out.getvalue()
    assert "Would remove 9 entries" in text
    assert "Removed 9 entries, exported to " in text
    assert "Nothing to remove." in text
    settings.JOURNAL_DAYS = 0
    with pytest.raises(CommandError, match="kept for ever"):
        call_command("prune_journal")


def test_the_triggers_still_refuse_everything_else(journal: list[Entry]) -> None:
    _prune()
    for statement in ("DELETE FROM journal_entry", "UPDATE journal_entry SET subject = 'x'"):
        with pytest.raises(DatabaseError):
            _sql(statement)


def test_a_removal_that_fails_leaves_everything(
    journal: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(services, "record", fail)
    with pytest.raises(RetentionRefusedError):
        _prune()
    assert (Entry.objects.count(), JournalCut.objects.count()) == (12, 0)
    assert triggers.missing(connection) == []
    assert _verdict("--anchors")[0] == 0


# What somebody who owns the database can do.


def test_a_deletion_outside_of_the_retention_is_found(journal: list[Entry]) -> None:
    _hostile("DELETE FROM journal_entry WHERE id = %s", journal[1].id)
    assert _is_found(f"Entry {journal[1].id} is gone.")


def test_a_deletion_beyond_the_cut_is_found(journal: list[Entry]) -> None:
    _prune()
    _hostile("DELETE FROM journal_entry WHERE id = %s", journal[9].id)
    assert _is_found(f"Entry {journal[9].id} is gone.")


def test_a_deletion_of_more_than_the_record_names_is_found(kept: Entry, journal: list[Entry]) -> None:
    _prune()
    _hostile("DELETE FROM journal_entry WHERE id = %s", kept.id)
    assert _is_found("10 entries are gone up to block 4, and the record names 9.")


def test_another_entry_instead_of_a_removed_one_is_found(journal: list[Entry]) -> None:
    """The number fits, and the set doesn't."""
    old = {entry.id: entry for entry in Entry.objects.all()}
    settings_cut = _partly(journal)
    put_back, taken = old[settings_cut[0]], journal[2].id
    triggers.drop(connection)
    put_back.save(force_insert=True)
    _sql("DELETE FROM journal_entry WHERE id = %s", taken)
    triggers.create(connection)
    assert _is_found("Other entries are gone up to block 1 than the record names.")


def _partly(journal: list[Entry]) -> list[int]:
    """Remove two of the three entries of the first block; their numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "_removable", _first_two)
        _prune()
    return [journal[0].id, journal[1].id]


def _first_two(before: datetime, block: int) -> Any:
    present = JournalLink.objects.filter(block_id=1, position__lt=2, entry__at__isnull=False)
    return present.order_by("block_id", "position")


def test_fewer_missing_entries_than_recorded_are_found(journal: list[Entry]) -> None:
    old = {entry.id: entry for entry in Entry.objects.all()}
    _prune()
    old[journal[0].id].save(force_insert=True)
    assert _is_found("8 entries are gone up to block 3, and the record names 9.")


@pytest.mark.parametrize(
    ("column", "value"),
    [("block", 4), ("removed", 12), ("digest", "0" * 64), ("block_hash", "ab" * 32), ("note", "x")],
)
def test_a_changed_record_is_found(journal: list[Entry], column: str, value: object) -> None:
    _prune()
    JournalCut.objects.update(**{column: value})
    assert _is_found("The record of removed entries isn’t")


def test_a_forged_record_is_found(journal: list[Entry]) -> None:
    """Another key signs what is gone; the form is the right one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from iam.journal.cuts import RemovedDigest, sign_cut
    from iam.journal.signed_notes import NoteSigner

    mallory = NoteSigner(signer().name, Ed25519PrivateKey.generate())
    gone = RemovedDigest()
    for link in JournalLink.objects.filter(block_id=1).order_by("position"):
        gone.add(link)
    block = JournalBlock.objects.get(sequence=1)
    JournalCut.objects.create(
        block=1,
        block_hash=block.hash,
        removed=3,
        digest=gone.hexdigest(),
        note=sign_cut(block, gone, mallory),
        before=NOON,
        at=NOW,
        count=3,
        export="x",
        export_sha256="x",
    )
    _hostile("DELETE FROM journal_entry WHERE id IN (SELECT entry_id FROM journal_link WHERE block_id = 1)")
    assert _is_found("The record of removed entries isn’t valid: No known key signed the note.")


def test_an_older_record_put_on_top_is_found(journal: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST", 3)
    _prune()
    first = JournalCut.objects.order_by("pk")[0]
    first.pk = None
    first.save(force_insert=True)
    assert _is_found("is gone.")


def test_a_record_that_was_thrown_away_is_found(journal: list[Entry]) -> None:
    _prune()
    JournalCut.objects.all().delete()
    assert _is_found(f"Entry {journal[0].id} is gone.")


def test_a_cut_beyond_every_anchor_is_found(journal: list[Entry], tmp_path: Path) -> None:
    """Whoever has the key and the database removes what was never anchored: anchors show it."""
    _prune()
    [note] = (tmp_path / "anchors").glob("*.note")
    from iam.journal.anchors import checkpoint_text

    block = JournalBlock.objects.get(sequence=2)
    note.write_text(signer().sign(checkpoint_text(block, origin=signer().name)))
    code, text = _verdict("--anchors")
    assert (code, "Entries were removed up to block 3, beyond the newest anchor." in text) == (1, True)
    assert _verdict()[0] == 0


def test_a_recomputed_tail_is_found_after_a_removal(journal: list[Entry]) -> None:
    _prune()
    triggers.drop(connection)
    _sql("DELETE FROM journal_link WHERE block_id > 3")
    _sql("DELETE FROM journal_block WHERE sequence > 3")
    _sql("UPDATE journal_entry SET subject = 'x' WHERE id = %s", journal[9].id)
    triggers.create(connection)
    with _at(NOW):
        chain_pending()
    code, text = _verdict("--anchors")
    assert (code, "Block 4 is not the one that was noted down." in text) == (1, True)


def test_a_recomputed_start_is_found_after_a_removal(journal: list[Entry]) -> None:
    """Blocks and hashes of what is gone can't be computed anew: the record names the old ones."""
    _prune()
    triggers.drop(connection)
    for table, column in (("journal_link", "block_id"), ("journal_block", "sequence")):
        _sql(f"DELETE FROM {table} WHERE {column} > 0")
    triggers.create(connection)
    with _at(NOW):
        chain_pending()
    assert _verdict()[0] == 1
