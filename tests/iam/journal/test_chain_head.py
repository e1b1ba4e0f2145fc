"""The head that is kept beside the database shows that a backup is older, and is no alarm for a new
database.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iam.journal.chain import chain_pending
from iam.journal.chain_head import is_behind, note_head
from iam.journal.models import JournalBlock
from iam.journal.services import record

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


@pytest.fixture
def head(settings: Any, tmp_path: Path) -> Path:
    """The file in a folder of its own."""
    settings.VAR = tmp_path
    return tmp_path / "journal_head"


def test_an_older_database_is_behind_and_a_new_one_is_not(head: Path) -> None:
    assert not is_behind()
    head.write_text(f"412:{'a' * 64}")
    assert not is_behind(), "a database without any block is new"
    record(kind="role.assign", actor=None)
    chain_pending()
    assert is_behind()
    note_head()
    assert head.read_text() == f"1:{JournalBlock.objects.get().hash}"
    assert not is_behind()
    head.write_text(f"1:{'a' * 64}")
    assert is_behind(), "another block is in its place"


@pytest.mark.parametrize("text", ["", "x", "1", "-1:a"])
def test_a_file_that_is_damaged_says_nothing(head: Path, text: str) -> None:
    record(kind="role.assign", actor=None)
    chain_pending()
    head.write_text(text)
    assert is_behind() is (text == "1")
