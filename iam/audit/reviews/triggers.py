"""The database triggers that protect a signed-off review: its rows, accesses and the review itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

CAMPAIGNS: Final = "audit_reviews_reviewcampaign"
TABLES: Final = ("audit_reviews_reviewitem", "audit_reviews_reviewaccess")
REFUSAL: Final = "a review that was signed off never changes"
STILL_SET: Final = "next_at"
"""The start of the next review in a series can still change: it is cleared once that review has begun."""
EVENTS: Final = (("UPDATE", ("OLD", "NEW"), "NEW"), ("DELETE", ("OLD",), "OLD"), ("INSERT", ("NEW",), "NEW"))
"""For each event: the records that must not belong to a frozen campaign, and the record with which PostgreSQL
continues. An update has two records, because it could move a row into a frozen campaign; continuing with OLD
would discard the update.
"""


def create(connection: BaseDatabaseWrapper) -> None:
    """Create or recreate the triggers."""
    drop(connection)
    with connection.cursor() as cursor:
        for statement in _statements(connection):
            cursor.execute(statement)


def _statements(connection: BaseDatabaseWrapper) -> Iterator[str]:
    is_sqlite = connection.vendor == "sqlite"
    for table, event, goes_on, frozen in _conditions(connection):
        name = _name(table, event)
        begin = f"CREATE TRIGGER {name} BEFORE {event} ON {table}"
        if is_sqlite:
            yield f"{begin} FOR EACH ROW WHEN {frozen} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            continue
        yield (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {frozen} THEN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'check_violation'; "
            f"END IF; RETURN {goes_on}; END; $$"
        )
        each = "STATEMENT" if event == "TRUNCATE" else "ROW"
        yield f"{begin} FOR EACH {each} EXECUTE FUNCTION {name}()"
        # ALWAYS, so that session_replication_role can't disable it.
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def _conditions(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str, str, str]]:
    """Yield table, event, the record to continue with, and the condition for refusal."""
    is_sqlite = connection.vendor == "sqlite"
    for table in TABLES:
        for event, records, goes_on in EVENTS:
            terms = [_exists(f"c.id = {record}.campaign_id AND c.state = 'done'") for record in records]
            if is_sqlite and event != "DELETE":
                terms.append(_replaces(table))
            yield table, event, goes_on, " OR ".join(terms)
    was_done, is_done = "OLD.state = 'done'", _exists("c.id = NEW.id AND c.state = 'done'")
    altered = f"({was_done} AND ({_differs(connection)}))"
    if is_sqlite:
        altered += f" OR (NEW.id IS NOT OLD.id AND {is_done})"
    yield CAMPAIGNS, "UPDATE", "NEW", altered
    yield CAMPAIGNS, "DELETE", "OLD", was_done
    if is_sqlite:
        yield CAMPAIGNS, "INSERT", "NEW", is_done
    else:
        for table in (CAMPAIGNS, *TABLES):
            yield table, "TRUNCATE", "NULL", _exists("c.state = 'done'")


def _exists(condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM {CAMPAIGNS} c WHERE {condition})"  # noqa: S608


def _replaces(table: str) -> str:
    """Return the condition that a row of a frozen campaign would be replaced. On SQLite, INSERT OR REPLACE
    and UPDATE OR REPLACE remove a row without firing a DELETE trigger.
    """
    return (
        f"EXISTS (SELECT 1 FROM {table} r JOIN {CAMPAIGNS} c ON c.id = r.campaign_id "  # noqa: S608
        "WHERE r.id = NEW.id AND c.state = 'done')"
    )


def _differs(connection: BaseDatabaseWrapper) -> str:
    if connection.vendor != "sqlite":
        return f"(to_jsonb(NEW) - '{STILL_SET}') IS DISTINCT FROM (to_jsonb(OLD) - '{STILL_SET}')"
    with connection.cursor() as cursor:
        columns = [
            column.name for column in connection.introspection.get_table_description(cursor, CAMPAIGNS)
        ]
    return " OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in columns if name != STILL_SET)


def _name(table: str, event: str) -> str:
    return f"{table}_frozen_{event.lower()}"


def drop(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers, for reversing the migration."""
    with connection.cursor() as cursor:
        for table in (CAMPAIGNS, *TABLES):
            for event in ("UPDATE", "DELETE", "INSERT", "TRUNCATE"):
                on = "" if connection.vendor == "sqlite" else f" ON {table}"
                cursor.execute(f"DROP TRIGGER IF EXISTS {_name(table, event)}{on}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of triggers that are missing or disabled; empty if there are none."""
    wanted = [_name(table, event) for table, event, *_ in _conditions(connection)]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            known = {name for name, text in cursor.fetchall() if text in set(_statements(connection))}
        else:
            cursor.execute(
                "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "WHERE c.relname = ANY(%s) AND t.tgenabled = 'A'",
                [[CAMPAIGNS, *TABLES]],
            )
            known = {name for (name,) in cursor.fetchall()}
    return [name for name in wanted if name not in known]
