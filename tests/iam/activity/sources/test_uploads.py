"""Uploaded trail files: read by a worker once, quarantined with a reason, and removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from iam.activity.models import TrailEvent
from iam.activity.sources.models import TrailUpload
from iam.activity.sources.uploads import UploadedTrailFile, keep_upload, read_upload, waiting_uploads
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts.validation import SetupError
from tests.iam.activity.sources.aws import events

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var(tmp_path: Path, settings: Any) -> Path:
    settings.VAR = str(tmp_path)
    return tmp_path / "trail-uploads"


def _file(name: str, content: bytes) -> UploadedTrailFile:
    return UploadedTrailFile(name, len(content), [content])


def test_files_are_read_and_removed(var: Path) -> None:
    good = events(3)
    files = [_file("a.json.gz", good), _file("bad.json", b"<html>"), _file("again.json.gz", good)]
    row = keep_upload(files, actor=COMMAND_LINE)
    assert waiting_uploads() == [row.pk]
    read_upload(row.pk)
    row.refresh_from_db()
    assert (row.is_final, row.done, row.stored, row.repeated) == (True, 3, 3, 3)
    assert [name for name, _ in row.quarantined] == ["bad.json"]
    assert TrailEvent.objects.count() == 3
    assert list(var.iterdir()) == []
    assert waiting_uploads() == []
    assert Entry.objects.get(kind="trail_source.upload").data["files"] == 3


def test_a_worker_that_dies_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    row = keep_upload([_file("a.json", events(2)), _file("b.json", events(4))], actor=COMMAND_LINE)
    calls = []

    def dies_at_the_second(*arguments: Any) -> Any:
        from iam.activity.ingest import ingest

        calls.append(1)
        if len(calls) == 2:
            raise SystemExit
        return ingest(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr("iam.activity.sources.uploads.ingest", dies_at_the_second)
        with pytest.raises(SystemExit):
            read_upload(row.pk)
    assert waiting_uploads() == []
    TrailUpload.objects.update(lease_until=timezone.now())
    read_upload(row.pk)
    row.refresh_from_db()
    assert (row.done, row.stored) == (2, 6)
    assert TrailEvent.objects.count() == 6


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "at least one file"),
        ([_file("a.exe", b"x")], "a.exe: a trail file ends in"),
        ([_file("a.json", b"x")] * 501, "up to 500 files"),
        ([UploadedTrailFile("a.json", 10**12, [])], "larger than"),
    ],
)
def test_what_is_no_set_of_trail_files_is_refused(
    files: list[UploadedTrailFile], words: str, var: Path
) -> None:
    with pytest.raises(SetupError, match=words) as refused:
        keep_upload(files, actor=COMMAND_LINE)
    assert refused.value.field == "files"
    assert not TrailUpload.objects.exists()
    assert not var.exists()
