"""Numbers what is written: each writing gives its account the next revision, and it to the entities that it
concerns.

Anyone who keeps something made of the mirror's rows asks by it what has changed since. Dates would not tell:
a row holds from when AWS was asked, and is written later.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection
from django.db.models import F

from iam.mirror.models import Account, Edge, Entity
from iam.mirror.pull import bulk

_ACCOUNT, _ENTITY = Account._meta.db_table, Entity._meta.db_table


def next_revision(account_id: int) -> int:
    """Give an account its next revision. In a transaction that has locked the account, so that revisions are
    seen in order.
    """
    with connection.cursor() as cursor:
        statement = (
            f"UPDATE {_ACCOUNT} SET revision = revision + 1, writes = writes + 1 "  # noqa: S608
            "WHERE id = %s RETURNING revision"
        )
        cursor.execute(statement, [account_id])
        return int(cursor.fetchone()[0])


def note_write(account_id: int) -> None:
    """Note that credentials or last uses of an account are written: they get no revision, but are counted."""
    Account.objects.filter(pk=account_id).update(writes=F("writes") + 1)


def note_written(account_id: int, entities: Collection[int]) -> None:
    """Note that entities of an account are written."""
    revision = next_revision(account_id)
    if entities:
        bulk.execute_in(f"UPDATE {_ENTITY} SET revision = %s WHERE id", [revision], entities)  # noqa: S608


def note_end(account_id: int, entities: Collection[int]) -> None:
    """Note that entities end, and with them the edges that lead to them from others."""
    noted = set(entities)
    for chunk in bulk.chunks(entities):
        edges = Edge.objects.filter(target_id__in=chunk, valid_to__isnull=True)
        noted.update(edges.values_list("source_id", flat=True))
    note_written(account_id, noted)
