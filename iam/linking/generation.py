"""A value that changes with whatever decides whose users are, so that what was counted of it can be kept
until then.
"""

from __future__ import annotations

import time
from typing import Any, Final

from django.db import connection

from iam.directory.models import Identity
from iam.journal.models import Entry
from iam.linking.models import MatchedAccount, MatchSettings

KINDS: Final = ("identity.link", "identity.unlink", "identity.outlive", "identity.apart")
"""What somebody says of a user, as the journal calls it."""
LASTS: Final = 60
"""Seconds after which it is another in any case: a person's email address changes without any of these."""
_OF_KIND: Final = f"(SELECT MAX(id) FROM {Entry._meta.db_table} WHERE kind = %s)"  # noqa: S608
_ACCOUNTS: Final = MatchedAccount._meta.db_table
_SETTINGS: Final = MatchSettings._meta.db_table
_SQL: Final = f"""SELECT {", ".join([_OF_KIND] * len(KINDS))},
    (SELECT MAX(id) FROM {Identity._meta.db_table}), (SELECT SUM(revision) FROM {_ACCOUNTS}),
    (SELECT MAX(version) FROM {_SETTINGS}), (SELECT MAX(people_until) FROM {_SETTINGS})"""  # noqa: S608


def generation() -> tuple[Any, ...]:
    """The last of what was said by hand, how far the ways were worked out, and the minute: one query, all by
    index.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL, KINDS)
        return *cursor.fetchone(), int(time.time() // LASTS)
