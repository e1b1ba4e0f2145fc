"""On PostgreSQL a search in the journal uses the index of trigrams, however long the journal is."""

from __future__ import annotations

import pytest
from django.db import connection

from iam.journal.queries import EntryFilter, entries
from tests.bench.list_rows import BEGAN, insert

pytestmark = [pytest.mark.on_both, pytest.mark.django_db, pytest.mark.postgresql]


def test_a_rare_text_is_found_by_the_index() -> None:
    from iam.journal.models import Entry

    rows = (
        {
            "id": n,
            "at": BEGAN,
            "kind": "change.applied",
            "actor_label": "quartz" if n == 12_345 else f"person {n}",
        }
        for n in range(1, 20_001)
    )
    insert(Entry, rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE journal_entry")
        cursor.execute("SELECT gin_clean_pending_list('journal_entry_trigrams')")
        # So few rows are read as fast from end to end.
        cursor.execute("SET LOCAL enable_seqscan = off")
    matching = entries(EntryFilter(accounts=None, text="Quart"))
    assert [entry.id for entry in matching] == [12345]
    assert "journal_entry_trigrams" in matching.explain()
