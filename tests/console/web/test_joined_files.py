"""The joined files are found, whole, and follow their parts."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from console.web.joined_files import JOINED


@pytest.mark.parametrize("name", JOINED)
def test_a_joined_file_is_found_served_and_follows_a_changed_part(
    settings: Any, tmp_path: Path, name: str
) -> None:
    settings.VAR = tmp_path
    finder = finders.get_finder.__wrapped__("console.web.joined_files.JoinedFiles")
    text = JOINED[name]()
    resolved = finder.find(name)
    assert Path(resolved).read_text() == text
    for embedded, endings in ((True, ("", ".gz")), (False, ("",))):
        settings.EMBEDDED = embedded
        expected = sorted(f"{joined}{ending}" for joined in JOINED for ending in endings)
        assert sorted(listed for listed, _ in finder.list([])) == expected
    Path(resolved).write_text("cut")
    Path(f"{resolved}.gz").write_text("cut")
    assert Path(finder.find(name)).read_text() == text
    assert gzip.decompress(Path(f"{resolved}.gz").read_bytes()).decode() == text
    Path(f"{resolved}.gz").unlink()
    finder.find(name)
    assert Path(f"{resolved}.gz").exists()
    assert finder.find(f"{name}.map") == []
