"""What lies among trail files and can't be read is quarantined with its reason, and the rest is stored."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from iam.activity.folder import read_folder
from iam.activity.ingest import deliveries_in, files_in, ingest
from iam.activity.models import TrailEvent, TrailFile
from tests.iam.activity.records import record, trail

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can search, with one good file at each end."""
    path = Path(tempfile.mkdtemp(prefix="trail-"))
    path.chmod(0o755)
    (path / "a.json.gz").write_bytes(trail(record(1)))
    (path / "z.json.gz").write_bytes(trail(record(2)))
    yield path
    shutil.rmtree(path)


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user to whom permissions apply: to root none do."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def read_by_command(*paths: Path, code: int = 0) -> Any:
    out = StringIO()
    with pytest.raises(SystemExit) if code else nullcontext() as stopped:
        call_command("ingest_trail", *map(str, paths), "--json", stdout=out)
    assert (stopped.value.code if stopped else 0) == code
    return json.loads(out.getvalue())


def reasons_of(answer: Any) -> dict[str, str]:
    return {Path(each["file"]).name: each["reason"] for each in answer["quarantined"]}


def test_what_is_no_file_is_quarantined(folder: Path) -> None:
    os.mkfifo(folder / "pipe.json")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "socket.json"))
        (folder / "loop.json").symlink_to("loop.json")
        (folder / "lost.json").symlink_to("not-there.json")
        (folder / "device.json").symlink_to("/dev/null")
        (folder / "circle").symlink_to(folder)
        (folder / "linked.json").symlink_to("a.json.gz")
        answer = read_by_command(folder)
    assert reasons_of(answer) == {
        "pipe.json": "It is a named pipe, not a file with events.",
        "socket.json": "It is a socket, not a file with events.",
        "device.json": "It is a device, not a file with events.",
        "loop.json": "The file can’t be opened: Too many levels of symbolic links.",
        "lost.json": "It is a symbolic link, and what it leads to isn’t there.",
        "circle": "The folder is a symbolic link, which isn’t followed. Name the folder itself.",
    }
    assert (answer["stored"], answer["repeated"], TrailEvent.objects.count()) == (2, 1, 2)
    assert TrailFile.objects.exclude(reason="").count() == 6


def test_a_pipe_that_is_named_itself_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert reasons_of(read_by_command(folder / "pipe", code=1)) == {
        "pipe": "It is a named pipe, not a file with events."
    }


def test_the_exit_code_tells_of_a_path_that_could_not_be_read(folder: Path) -> None:
    bad = folder / "bad.json"
    bad.write_text("no JSON")
    for _ in range(2):
        assert list(reasons_of(read_by_command(bad, code=1))) == ["bad.json"]
        assert next(iter(reasons_of(read_by_command(folder, bad, code=1)))) == "bad.json"
        assert read_by_command(folder)["files"] > 1
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("ingest_trail", str(bad), stdout=out)
    assert stopped.value.code == 1
    assert "1 quarantined:" in out.getvalue()


def test_the_exit_code_tells_that_no_file_of_a_folder_could_be_read(tmp_path: Path) -> None:
    assert read_by_command(tmp_path)["files"] == 0
    (tmp_path / "a.json").write_text("no JSON")
    (tmp_path / "b.json").write_text("{")
    assert len(read_by_command(tmp_path, code=1)["quarantined"]) == 2
    (tmp_path / "c.json.gz").write_bytes(trail(record(1)))
    assert len(read_by_command(tmp_path)["quarantined"]) == 2


def test_a_file_of_which_events_are_left_out_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(trail(record(1), {"eventID": "x"}))
    answer = read_by_command(path)
    assert (answer["stored"], len(answer["quarantined"])) == (1, 1)


def test_files_and_folders_that_may_not_be_opened_are_quarantined(folder: Path) -> None:
    """Until they may: then they are read, and are quarantined no longer."""
    closed = folder / "closed"
    closed.mkdir()
    (closed / "b.json.gz").write_bytes(trail(record(3)))
    (folder / "m.json.gz").write_bytes(trail(record(4)))
    for path in (closed, folder / "m.json.gz"):
        path.chmod(0)
    with as_nobody():
        deliveries = list(deliveries_in(files_in([folder])))
        nested = list(deliveries_in(files_in([closed / "b.json.gz"])))
    report = ingest([*deliveries, *nested], "command")
    assert {Path(name).name: reason for name, reason in report.quarantined} == {
        "closed": "The folder can’t be listed: Permission denied.",
        "m.json.gz": "The file can’t be opened: Permission denied.",
        "b.json.gz": "The file can’t be opened: Permission denied.",
    }
    assert report.stored == 2
    closed.chmod(0o755)
    (folder / "m.json.gz").chmod(0o644)
    again = read_by_command(folder)
    assert (again["stored"], again["repeated"]) == (2, 2)
    assert not TrailFile.objects.exclude(reason="").exists()


def test_the_folder_of_the_setting_tries_again_what_has_changed(folder: Path) -> None:
    os.mkfifo(folder / "m.json.gz")
    report = read_folder(folder)
    assert (report.stored, len(report.quarantined)) == (2, 1)
    assert read_folder(folder).files == 0
    (folder / "m.json.gz").unlink()
    (folder / "m.json.gz").write_bytes(trail(record(3)))
    report = read_folder(folder)
    assert (report.files, report.stored, report.quarantined) == (1, 1, [])
    assert not TrailFile.objects.exclude(reason="").exists()
    assert read_folder(folder).files == 0


def test_a_file_that_vanishes_meanwhile_is_left_out(folder: Path) -> None:
    files = files_in([folder])
    (folder / "a.json.gz").unlink()
    assert [Path(each.name).name for each in deliveries_in(files)] == ["z.json.gz"]


def test_a_name_that_is_no_text_is_written_out(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.json")).write_bytes(b"")
    answer = read_by_command(folder)
    assert reasons_of(answer) == {"caf\\udce9.json": "The file is empty."}
