"""On PostgreSQL a search among requests, people and grants uses an index of trigrams, however many
there are.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet

from iam.access.grants.models import Grant
from iam.changes.models import Change, ChangeSet
from iam.changes.queries import _matches
from iam.directory.models import Person

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db, pytest.mark.postgresql]


@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (Change.objects.filter(_matches("quartz")), "change_trigrams"),
        (ChangeSet.objects.filter(title__icontains="quartz"), "change_set_trigrams"),
        (
            Person.objects.filter(Q(name__icontains="quartz") | Q(email__icontains="quartz")),
            "person_trigrams",
        ),
        (
            Grant.objects.filter(Q(title__icontains="quartz") | Q(requested_label__icontains="quartz")),
            "grant_trigrams",
        ),
    ],
    ids=["changes", "requests", "people", "grants"],
)
def test_a_text_is_found_by_the_index(rows: QuerySet[Any], index: str) -> None:
    with connection.cursor() as cursor:
        # Empty tables are read as fast from end to end.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    assert index in rows.order_by().explain()
