"""The database itself refuses to alter or remove what the journal holds."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.core.checks.registry import Tags
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from iam.journal import triggers
from iam.journal.chain import chain_pending
from iam.journal.checks import JournalUnprotectedError, assert_protected, journal_is_append_only
from iam.journal.models import Entry, JournalBlock, JournalLink
from iam.journal.services import record
from iam.journal.verify import verify

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

STATEMENTS = [
    "UPDATE journal_entry SET kind = 'x.y'",
    "DELETE FROM journal_entry",
    "UPDATE journal_block SET hash = ''",
    "DELETE FROM journal_block",
    "UPDATE journal_link SET position = 9",
    "DELETE FROM journal_link",
]
SQLITE = [
    (
        "INSERT OR REPLACE INTO journal_block SELECT sequence, previous, 'forged', made_at, count, total, "
        "highest FROM journal_block"
    )
]
POSTGRES = [
    "TRUNCATE journal_link",
    "TRUNCATE journal_entry CASCADE",
    "TRUNCATE journal_block CASCADE",
    (
        "INSERT INTO journal_block SELECT * FROM journal_block ON CONFLICT (sequence) DO UPDATE SET hash = "
        "'forged'"
    ),
    "SET LOCAL session_replication_role = replica; DELETE FROM journal_link",
]


@pytest.fixture
def chained() -> Entry:
    entry = record(kind="role.assign", actor=None)
    chain_pending()
    connection.check_constraints()
    return entry


@pytest.mark.parametrize("statement", STATEMENTS + (SQLITE if connection.vendor == "sqlite" else POSTGRES))
def test_no_statement_alters_the_journal(statement: str, chained: Entry) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Entry.objects.get() == chained
    assert JournalBlock.objects.get().hash != "forged"
    assert JournalLink.objects.count() == 1


def test_django_cannot_alter_it_either(chained: Entry) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        chained.delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        chained.save()


def test_all_triggers_are_there_after_migrating() -> None:
    assert triggers.missing(connection) == []
    assert_protected()


@pytest.mark.parametrize("table", triggers.TABLES)
def test_a_lost_trigger_stops_the_start_by_name(table: str) -> None:
    name = f"{table}_no_delete" if connection.vendor == "sqlite" else f"{table}_append_only"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{'' if connection.vendor == 'sqlite' else f' ON {table}'}")
    assert triggers.missing(connection) == [name]
    with pytest.raises(JournalUnprotectedError, match=name):
        assert_protected()
    errors = journal_is_append_only(databases=["default"])
    assert [error.id for error in errors] == ["journal.E001"]
    assert name in errors[0].msg


def test_a_trigger_that_was_made_harmless_counts_as_lost() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER journal_entry_no_delete")
            cursor.execute(
                "CREATE TRIGGER journal_entry_no_delete BEFORE DELETE ON journal_entry WHEN 0 BEGIN SELECT "
                "1; END"
            )
            assert triggers.missing(connection) == ["journal_entry_no_delete"]
        else:
            cursor.execute("ALTER TABLE journal_entry DISABLE TRIGGER journal_entry_append_only")
            assert triggers.missing(connection) == ["journal_entry_append_only"]
            cursor.execute("ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_entry_append_only")
            cursor.execute(
                "CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RETURN NULL; END; $$"
            )
            assert len(triggers.missing(connection)) == 3


def test_the_check_is_part_of_djangos_database_checks() -> None:
    triggers.drop(connection)
    check_messages = run_checks(tags=[Tags.database], databases=["default"])
    assert "journal.E001" in [message.id for message in check_messages]
    assert not [m for m in run_checks(tags=[Tags.database]) if m.id == "journal.E001"]


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_rebuilds_a_table_leaves_it_protected() -> None:
    triggers.drop(connection)
    call_command("migrate", verbosity=0, skip_checks=True)
    assert triggers.missing(connection) == []


def test_a_foreign_trigger_is_found_on_either_database() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE TRIGGER swallow BEFORE INSERT ON journal_entry BEGIN SELECT RAISE(IGNORE); END"
            )
        else:
            cursor.execute(
                "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
            )
            cursor.execute(
                "CREATE TRIGGER swallow BEFORE INSERT ON journal_entry FOR EACH ROW EXECUTE FUNCTION "
                "swallow()"
            )
    assert triggers.foreign(connection) == ["trigger swallow on journal_entry"]
    assert [error.id for error in journal_is_append_only(databases=["default"])] == ["journal.E002"]
    with pytest.raises(JournalUnprotectedError, match="trigger swallow on journal_entry"):
        assert_protected()
    verdict = verify()
    assert verdict.broken
    assert "trigger swallow on journal_entry" in verdict.broken.sentence
