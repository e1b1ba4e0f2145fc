"""The application's role of PostgreSQL can use the journal and not get around it; what the owner puts on its
tables is found.
"""

from __future__ import annotations

import json
import sys

import psycopg
import pytest

from tests.journeys.production import Installation, done
from tests.production.conftest import address
from tests.services.postgres import Cluster

FORBIDDEN = [
    "UPDATE journal_entry SET kind = 'x.y'",
    "DELETE FROM journal_link",
    "TRUNCATE journal_entry CASCADE",
    "DROP TRIGGER journal_entry_append_only ON journal_entry",
    "ALTER TABLE journal_entry DISABLE TRIGGER ALL",
    "ALTER TABLE journal_entry ENABLE ROW LEVEL SECURITY",
    "CREATE RULE hide AS ON INSERT TO journal_entry DO INSTEAD NOTHING",
    "INSERT INTO journal_cut (block) VALUES (1)",
    "DELETE FROM journal_cut",
    "CREATE TABLE other (id int)",
    (
        "CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; "
        "END'"
    ),
    "CREATE TRIGGER hide BEFORE INSERT ON journal_entry EXECUTE FUNCTION journal_refuse()",
    "SET session_replication_role = replica",
    "SET ROLE gatehouse_owner",
]
SWALLOW = (
    "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TRIGGER swallow BEFORE INSERT ON journal_entry FOR EACH ROW EXECUTE FUNCTION swallow()",
)
INTRUSIONS = {
    "trigger swallow on journal_entry": (SWALLOW, ("DROP FUNCTION swallow CASCADE",)),
    "rule hide on journal_block": (
        ("CREATE RULE hide AS ON INSERT TO journal_block DO INSTEAD NOTHING",),
        ("DROP RULE hide ON journal_block",),
    ),
    "row security on journal_entry": (
        ("ALTER TABLE journal_entry ENABLE ROW LEVEL SECURITY",),
        ("ALTER TABLE journal_entry DISABLE ROW LEVEL SECURITY",),
    ),
    "table more inherits from journal_link": (
        ("CREATE TABLE more () INHERITS (journal_link)",),
        ("DROP TABLE more",),
    ),
}


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_cannot_get_around_the_journal(installed: Installation, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        installed.rows(statement)


def manage(installed: Installation, *words: str) -> tuple[int, str]:
    """Exit code and output of a command, as the application's role."""
    ended = done(installed.start_any([sys.executable, "manage.py", *words]))
    return ended.returncode, ended.stdout + ended.stderr


def test_the_application_writes_and_verifies_the_journal_without_owning_it(installed: Installation) -> None:
    # A failed sign-in is an entry; a command chains and verifies.
    chained = (
        "import django; django.setup()\nfrom iam.journal.services import record\nfrom iam.journal.chain "
        "import chain_pending\n"
    )
    chained += "record(kind='role.assign', actor=None); print(chain_pending())"
    made = done(
        installed.start_any([sys.executable, "-c", chained], DJANGO_SETTINGS_MODULE="console.settings")
    )
    assert made.returncode == 0, made.stderr
    code, text = manage(installed, "verify_journal", "--json")
    content = json.loads(text[text.index("{\n") :])
    assert (code, content["holds"], content["missing_triggers"], content["foreign_objects"]) == (
        0,
        True,
        [],
        [],
    )


def test_only_the_owner_removes_old_entries(installed: Installation) -> None:
    variables = {"GATEHOUSE_JOURNAL_DAYS": "400"}
    words = [sys.executable, "manage.py", "prune_journal"]
    refused = done(installed.start_any(words, **variables))
    assert (refused.returncode, "Only the owner of the tables" in refused.stderr) == (1, True)


def test_what_others_put_on_the_tables_is_found_at_start_and_in_a_verification(
    installed: Installation, cluster: Cluster
) -> None:
    with psycopg.connect(address(cluster, "gatehouse_owner"), autocommit=True) as owner:
        for names, (attack, remedy) in INTRUSIONS.items():
            for statement in attack:
                owner.execute(statement)  # type: ignore[arg-type]
            try:
                ready = installed.ask("/readyz")
                code, text = manage(installed, "verify_journal")
            finally:
                for statement in remedy:
                    owner.execute(statement)  # type: ignore[arg-type]
            assert (code, names in text) == (1, True), text
            assert b'"journal": "unprotected"' in ready.body, names
        for statement in SWALLOW:
            owner.execute(statement)  # type: ignore[arg-type]
        try:
            code, text = manage(installed, "check", "--database", "default")
            started = "import console.rsgi"
            refused = done(installed.start_any([sys.executable, "-c", started]))
        finally:
            owner.execute("DROP FUNCTION swallow CASCADE")
    assert (code, "journal.E002" in text, "trigger swallow on journal_entry" in text) == (1, True, True)
    assert refused.returncode == 1
    assert "trigger swallow on journal_entry" in refused.stderr
    assert manage(installed, "check", "--database", "default")[0] == 0
