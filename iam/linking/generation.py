"""A value that changes whenever the matches between users and people can have changed, for caching."""

from __future__ import annotations

import time
from typing import Any, Final

from django.db import connection

from iam.directory.models import Identity
from iam.journal.models import Entry
from iam.linking.models import MatchedAccount, MatchSettings

KINDS: Final = ("identity.link", "identity.unlink", "identity.outlive", "identity.apart")
"""Journal kinds of manual decisions about a user."""
LASTS: Final = 60
"""Seconds after which the value changes in any case, because a person's email address can change without any
of these.
"""
_OF_KIND: Final = f"(SELECT MAX(id) FROM {Entry._meta.db_table} WHERE kind = %s)"  # noqa: S608
_ACCOUNTS: Final = MatchedAccount._meta.db_table
_SETTINGS: Final = MatchSettings._meta.db_table
_SQL: Final = f"""SELECT {", ".join([_OF_KIND] * len(KINDS))},
    (SELECT MAX(id) FROM {Identity._meta.db_table}), (SELECT SUM(revision) FROM {_ACCOUNTS}),
    (SELECT MAX(version) FROM {_SETTINGS}), (SELECT MAX(people_until) FROM {_SETTINGS})"""  # noqa: S608


def generation() -> tuple[Any, ...]:
    """Return the latest manual decisions, the progress of matching, and the current minute. One query, all by
    index.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL, KINDS)
        return *cursor.fetchone(), int(time.time() // LASTS)
