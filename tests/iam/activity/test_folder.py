"""A folder of trail files is read file by file, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from iam.activity import tasks
from iam.activity.folder import read_folder
from iam.activity.models import TrailEvent, TrailFile
from tests.iam.activity.records import record, trail

pytestmark = pytest.mark.django_db


def test_only_new_files_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json.gz").write_bytes(trail(record(1)))
    assert read_folder(tmp_path).stored == 1
    (tmp_path / "b.json.gz").write_bytes(trail(record(2)))
    opened = []
    read_bytes = Path.read_bytes

    def noted(path: Path) -> bytes:
        opened.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    assert read_folder(tmp_path).stored == 1
    assert opened == ["b.json.gz"]


def test_a_file_that_is_not_complete_yet_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.json.gz.part").write_bytes(trail(record(1))[:20])
    assert read_folder(tmp_path).files == 0


def test_a_worker_reads_the_folder_of_the_setting(tmp_path: Path, settings: Any) -> None:
    settings.TRAIL_FOLDER = str(tmp_path / "none")
    tasks.read_trail_folder()
    settings.TRAIL_FOLDER = str(tmp_path)
    (tmp_path / "a.json.gz").write_bytes(trail(record(1)))
    tasks.read_trail_folder()
    assert TrailEvent.objects.count() == TrailFile.objects.filter(source="folder").count() == 1
