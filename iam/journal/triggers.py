"""The database triggers that refuse to alter or remove journal rows, and the checks that they exist."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES: dict[str, str] = {"journal_entry": "id", "journal_block": "sequence", "journal_link": "entry_id"}
REFUSAL = "the journal is append-only"
_FUNCTION_BODY = f"\nBEGIN\n  RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'insufficient_privilege';\nEND;\n"


def _sqlite_triggers() -> dict[str, str]:
    """Return each trigger's CREATE statement as SQLite stores it, by name. The third trigger per table is
    needed because REPLACE removes rows without firing DELETE triggers.
    """
    made = {}
    for table, key in TABLES.items():
        for action in ("UPDATE", "DELETE"):
            name = f"{table}_no_{action.lower()}"
            made[name] = (
                f"CREATE TRIGGER {name} BEFORE {action} ON {table} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); "
                "END"
            )
        name = f"{table}_no_replace"
        made[name] = (
            f"CREATE TRIGGER {name} BEFORE INSERT ON {table} "  # noqa: S608
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
    return made


def create(connection: BaseDatabaseWrapper) -> None:
    """Drop and create all triggers. It is safe to run again."""
    drop(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for statement in _sqlite_triggers().values():
                cursor.execute(statement)
            return
        cursor.execute(
            "CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$${_FUNCTION_BODY}$$"
        )
        for table in TABLES:
            cursor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse()"
            )
            # ALWAYS: session_replication_role cannot switch it off.
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")


def drop(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers, to reverse the migration and for tests."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in _sqlite_triggers():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            return
        for table in TABLES:
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")


@contextmanager
def removal_allowed(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Allow entries to be deleted within a transaction. PostgreSQL lets only the owner of the tables do this.
    Other writers wait until the transaction ends; if it fails, the trigger is unchanged.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            name = "journal_entry_no_delete"
            cursor.execute(f"DROP TRIGGER {name}")
            yield
            cursor.execute(_sqlite_triggers()[name])
            return
        # While a connection waits for this lock, all writers wait behind it.
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        cursor.execute("ALTER TABLE journal_entry DISABLE TRIGGER journal_entry_append_only")
        yield
        cursor.execute("ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_entry_append_only")


def is_owner(connection: BaseDatabaseWrapper) -> bool:
    """Return True if this connection has the right to remove entries. SQLite has no roles."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class "
            "WHERE oid = to_regclass('journal_entry')"
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def tables_exist(connection: BaseDatabaseWrapper) -> bool:
    """Return True if the journal's tables exist."""
    with connection.cursor() as cursor:
        return set(TABLES) <= set(connection.introspection.table_names(cursor))


def foreign(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the foreign objects on the journal's tables that could hide, alter or swallow rows. An empty
    list means that there are none.
    """
    return _foreign_sqlite(connection) if connection.vendor == "sqlite" else _foreign_postgres(connection)


def _foreign_sqlite(connection: BaseDatabaseWrapper) -> list[str]:
    tables = ", ".join(f"'{table}'" for table in TABLES)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT type, name, tbl_name FROM sqlite_master "  # noqa: S608
            f"WHERE (type = 'trigger' AND tbl_name IN ({tables})) "
            f"OR (type = 'view' AND name IN ({tables})) ORDER BY name"
        )
        rows = cursor.fetchall()
    ours = _sqlite_triggers()
    foreign = []
    for kind, name, table in rows:
        if name in ours:
            continue
        if kind == "trigger":
            foreign.append(f"{kind} {name} on {table}")
        else:
            foreign.append(f"view {name} instead of the table")
    return foreign


# Foreign keys create internal triggers. The query finds everything else that PostgreSQL can put between a
# table and its readers or writers: triggers, rewrite rules, row security, inheriting tables, and anything
# other than a plain table under the name.
_FOREIGN = """
WITH journal AS (SELECT c.* FROM pg_class c WHERE c.oid = ANY(ARRAY(SELECT to_regclass(n) FROM unnest(%s::text[]) n)))
SELECT 'trigger ' || t.tgname || ' on ' || j.relname FROM journal j JOIN pg_trigger t ON t.tgrelid = j.oid
  WHERE NOT t.tgisinternal AND t.tgname <> j.relname || '_append_only'
UNION ALL SELECT 'disabled foreign key trigger on ' || j.relname FROM journal j JOIN pg_trigger t ON t.tgrelid = j.oid
  WHERE t.tgisinternal AND t.tgenabled <> 'O'
UNION ALL SELECT 'rule ' || r.rulename || ' on ' || j.relname FROM journal j JOIN pg_rewrite r ON r.ev_class = j.oid
UNION ALL SELECT 'row security on ' || j.relname FROM journal j WHERE j.relrowsecurity OR j.relforcerowsecurity
UNION ALL SELECT 'policy ' || p.polname || ' on ' || j.relname FROM journal j JOIN pg_policy p ON p.polrelid = j.oid
UNION ALL SELECT 'table ' || i.inhrelid::regclass || ' inherits from ' || j.relname
  FROM journal j JOIN pg_inherits i ON i.inhparent = j.oid
UNION ALL SELECT j.relname || ' is not a plain table' FROM journal j WHERE j.relkind <> 'r'
ORDER BY 1
"""  # noqa: E501


def _foreign_postgres(connection: BaseDatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN, [list(TABLES)])
        return [row[0] for row in cursor.fetchall()]


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the triggers that are missing, disabled or altered."""
    return _missing_sqlite(connection) if connection.vendor == "sqlite" else _missing_postgres(connection)


def _missing_sqlite(connection: BaseDatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = dict(cursor.fetchall())
    return [name for name, statement in _sqlite_triggers().items() if triggers.get(name) != statement]


# tgtype: 2 before, 8 delete, 16 update, 32 truncate; without 1 it fires per statement.
_STATEMENT_BEFORE_ALL = 2 | 8 | 16 | 32


def _missing_postgres(connection: BaseDatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE c.oid = ANY(ARRAY(SELECT to_regclass(n) FROM unnest(%s::text[]) n)) AND t.tgenabled = 'A'"
            " AND t.tgtype = %s AND t.tgqual IS NULL AND p.proname = 'journal_refuse' AND p.prosrc = %s",
            [list(TABLES), _STATEMENT_BEFORE_ALL, _FUNCTION_BODY],
        )
        triggers = set(cursor.fetchall())
    return [f"{table}_append_only" for table in TABLES if (table, f"{table}_append_only") not in triggers]
