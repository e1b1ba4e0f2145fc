"""The joined files are found, whole, and follow their parts."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from console.web.joined_files import JOINED

SCRIPT = Path(__file__).resolve().parents[3] / "static" / "js"
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:const|let|var|class|function\*?) (\w+)", re.MULTILINE)


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


def test_no_two_modules_of_the_script_declare_the_same_name() -> None:
    """They are joined into one file, in which a name that is declared twice stops all of the script."""
    places: dict[str, list[str]] = {}
    for path in sorted(SCRIPT.glob("*.js")):
        text = path.read_text(encoding="utf-8")
        for name in DECLARED.findall(text):
            places.setdefault(name, []).append(path.name)
    assert len(places) > 50
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
