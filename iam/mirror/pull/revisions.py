"""Numbers the writes: each write gives its account the next revision, and gives that revision to the entities
concerned.

Code that caches data derived from the mirror uses revisions to find what has changed. Dates would not do: a
row is valid from the time at which AWS was read, and is written later.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection
from django.db.models import F

from iam.mirror.models import Account, Edge, Entity
from iam.mirror.pull import bulk

_ACCOUNT, _ENTITY = Account._meta.db_table, Entity._meta.db_table


def next_revision(account_id: int) -> int:
    """Increment an account's revision. Must be called in a transaction that has locked the account, so that
    revisions become visible in order.
    """
    with connection.cursor() as cursor:
        statement = (
            f"UPDATE {_ACCOUNT} SET revision = revision + 1, writes = writes + 1 "  # noqa: S608
            "WHERE id = %s RETURNING revision"
        )
        cursor.execute(statement, [account_id])
        return int(cursor.fetchone()[0])


def note_write(account_id: int) -> None:
    """Count a write of an account's credentials or last uses, which gets no revision."""
    Account.objects.filter(pk=account_id).update(writes=F("writes") + 1)


def note_written(account_id: int, entities: Collection[int]) -> None:
    """Record that entities of an account were written."""
    revision = next_revision(account_id)
    if entities:
        bulk.execute_in(f"UPDATE {_ENTITY} SET revision = %s WHERE id", [revision], entities)  # noqa: S608


def note_end(account_id: int, entities: Collection[int]) -> None:
    """Record that entities have ended, and with them the edges from others to them."""
    noted = set(entities)
    for chunk in bulk.chunks(entities):
        edges = Edge.objects.filter(target_id__in=chunk, valid_to__isnull=True)
        noted.update(edges.values_list("source_id", flat=True))
    note_written(account_id, noted)
