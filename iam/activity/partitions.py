"""The monthly partitions of the event table on PostgreSQL: a month is added with its first event, and dropped
when it is too old. SQLite has one plain table.

The database functions for this run with the rights of the tables' owner, so that the application needs no
right to create or drop tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel

TABLE = "activity_event"
_SWAP = (
    f"ALTER TABLE {TABLE} RENAME TO {TABLE}_plain",
    f"CREATE TABLE {TABLE} (LIKE {TABLE}_plain INCLUDING DEFAULTS) PARTITION BY RANGE (at)",
    f"DROP TABLE {TABLE}_plain CASCADE",
    f"ALTER TABLE {TABLE} ADD PRIMARY KEY (at, event_id)",
)
_ADD_MONTH = f"""
CREATE FUNCTION activity_add_month(first date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE month date := date_trunc('month', first)::date;
BEGIN
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF {TABLE} FOR VALUES FROM (%L) TO (%L)',
                 '{TABLE}_' || to_char(month, 'YYYY_MM'),
                 month::timestamp AT TIME ZONE 'UTC',
                 (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
END $$
"""
_DROP_MONTH = f"""
CREATE FUNCTION activity_drop_month(first date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', '{TABLE}_' || to_char(date_trunc('month', first), 'YYYY_MM'));
END $$
"""
_LOCK = 0x61637476
"""The advisory lock for adding and dropping months: “actv”."""


class CreatePartitioned(CreateModel):
    """Creates the event table, partitioned by the month of `at` on PostgreSQL."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Create the plain table and replace it by a partitioned one. Its indexes are created last."""
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        if schema_editor.connection.vendor == "postgresql":
            for statement in (*_SWAP, _ADD_MONTH, _DROP_MONTH):
                schema_editor.execute(statement, None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Drop the functions, and the table with its partitions."""
        if schema_editor.connection.vendor == "postgresql":
            for name in ("activity_add_month", "activity_drop_month"):
                schema_editor.execute(f"DROP FUNCTION IF EXISTS {name}(date)", None)
        super().database_backwards(app_label, schema_editor, from_state, to_state)


def add_months(moments: Iterable[datetime]) -> None:
    """Create the partitions for the months of these times. Call it before the transaction that writes,
    because adding a partition locks the table until commit.
    """
    if connection.vendor != "postgresql":
        return
    months = {date(at.year, at.month, 1) for at in moments} - _months()
    if not months:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        hold_months()
        for month in sorted(months):
            cursor.execute("SELECT activity_add_month(%s)", [month])


def ended_months(before: datetime) -> list[date]:
    """Return the months that have a partition and ended before a time, oldest first."""
    limit = before.astimezone(UTC).date().replace(day=1)
    return sorted(month for month in _months() if month < limit)


def hold_months() -> None:
    """Keep other processes from adding or dropping months until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def drop_month(month: date) -> None:
    """Drop the partition of a month. The transaction must hold the months."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT activity_drop_month(%s)", [month])


def _months() -> set[date]:
    """Return the first day of each month that has a partition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            "WHERE inhparent = to_regclass(%s)",
            [TABLE],
        )
        names = [row[0] for row in cursor.fetchall()]
    return {datetime.strptime(name.removeprefix(f"{TABLE}_"), "%Y_%m").date() for name in names}
