"""The database trigger that refuses to alter a version of a template."""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

TABLE: Final = "access_templates_templateversion"
NAME: Final = f"{TABLE}_stays"
REFUSAL: Final = "a version of a template never changes"


def create(connection: BaseDatabaseWrapper) -> None:
    """Create or recreate the trigger."""
    drop(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER {NAME} BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
            return
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'check_violation'; END; $$"
        )
        cursor.execute(
            f"CREATE TRIGGER {NAME} BEFORE UPDATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION {NAME}()"
        )


def drop(connection: BaseDatabaseWrapper) -> None:
    """Remove the trigger, to unmigrate."""
    with connection.cursor() as cursor:
        on = "" if connection.vendor == "sqlite" else f" ON {TABLE}"
        cursor.execute(f"DROP TRIGGER IF EXISTS {NAME}{on}")
