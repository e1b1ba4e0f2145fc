"""The database triggers that refuse to alter the rows of a review that was signed off."""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

CAMPAIGNS: Final = "audit_reviews_reviewcampaign"
TABLES: Final = ("audit_reviews_reviewitem", "audit_reviews_reviewaccess")
REFUSAL: Final = "a review that was signed off never changes"
EVENTS: Final = (("UPDATE", "OLD", "NEW"), ("DELETE", "OLD", "OLD"), ("INSERT", "NEW", "NEW"))
"""What happens to a row, the record that names its campaign, and the one with which PostgreSQL goes on: an
update that went on with OLD would change nothing.
"""


def create(connection: BaseDatabaseWrapper) -> None:
    """Create them anew; harmless when they are there."""
    drop(connection)
    with connection.cursor() as cursor:
        for table in TABLES:
            for event, record, goes_on in EVENTS:
                name = f"{table}_frozen_{event.lower()}"
                of_campaign = f"c.id = {record}.campaign_id AND c.state = 'done'"
                frozen = f"EXISTS (SELECT 1 FROM {CAMPAIGNS} c WHERE {of_campaign})"  # noqa: S608
                begin = f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW"
                if connection.vendor == "sqlite":
                    cursor.execute(f"{begin} WHEN {frozen} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")
                    continue
                cursor.execute(
                    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    f"IF {frozen} THEN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'check_violation'; "
                    f"END IF; RETURN {goes_on}; END; $$"
                )
                cursor.execute(f"{begin} EXECUTE FUNCTION {name}()")


def drop(connection: BaseDatabaseWrapper) -> None:
    """Remove them: to unmigrate."""
    with connection.cursor() as cursor:
        for table in TABLES:
            for event, *_ in EVENTS:
                on = "" if connection.vendor == "sqlite" else f" ON {table}"
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_frozen_{event.lower()}{on}")
