"""Trail files that an administrator uploads: stored privately, read by a worker one by one, and deleted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from iam.activity.ingest import SUFFIXES, DeliveredFile, ingest
from iam.activity.sources.models import TrailUpload, UploadState
from iam.activity.trail_files import FILE_LIMIT
from iam.journal.services import record
from iam.mirror.accounts.actors import Actor, must_manage
from iam.mirror.accounts.validation import SetupError
from iam.nudge import send_after_commit

SOURCE: Final = "upload"
MAX_FILES: Final = 500
NAME_LENGTH: Final = 255
QUARANTINED_KEPT: Final = 500
_READ: Final = "iam.activity.sources.tasks.read_upload"


class UploadedTrailFile(NamedTuple):
    """A file as sent by the browser."""

    name: str
    size: int
    chunks: Iterable[bytes]


def _folder(upload_id: UUID) -> Path:
    """Return the folder of an upload's files. Web processes and workers must share it."""
    return Path(settings.VAR) / "trail-uploads" / str(upload_id)


def keep_upload(files: Sequence[UploadedTrailFile], *, actor: Actor) -> TrailUpload:
    """Store the files and have a worker read them. Raises SetupError for invalid files and OSError if the
    disk is full.
    """
    must_manage(actor, account_id="")
    _check(files)
    upload = TrailUpload(created_by=actor.name, names=[file.name[:NAME_LENGTH] for file in files])
    folder = _folder(upload.pk)
    folder.mkdir(mode=0o700, parents=True)
    try:
        for number, file in enumerate(files):
            handle = os.open(folder / str(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as stored:
                stored.writelines(file.chunks)
        with transaction.atomic():
            upload.save(force_insert=True)
            record(
                kind="trail_source.upload",
                actor=actor,
                subject=str(upload),
                data={"files": len(files), "bytes": sum(file.size for file in files)},
            )
            send_after_commit(_READ, upload.pk)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return upload


def _check(files: Sequence[UploadedTrailFile]) -> None:
    if not files:
        raise SetupError("Choose at least one file.", field="files")
    if len(files) > MAX_FILES:
        raise SetupError(f"Choose up to {MAX_FILES} files at once.", field="files")
    for file in files:
        if not file.name.lower().endswith(SUFFIXES):
            raise SetupError(f"{file.name}: a trail file ends in .json or .json.gz.", field="files")
    limit = int(settings.UPLOAD_MEGABYTES) * 1024 * 1024
    if sum(file.size for file in files) > limit:
        raise SetupError(f"The files together are larger than {settings.UPLOAD_MEGABYTES} MB.", field="files")


def waiting_uploads() -> list[UUID]:
    """Return the uploads that no worker has."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = TrailUpload.objects.filter(free).exclude(state=UploadState.DONE)
    return list(rows.order_by("created_at").values_list("pk", flat=True))


def read_upload(upload_id: UUID) -> None:
    """Read the remaining files of an upload and delete them."""
    now = timezone.now()
    lease = timedelta(seconds=settings.CHANGE_LEASE)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = TrailUpload.objects.filter(pk=upload_id)
    claimed = rows.filter(free).exclude(state=UploadState.DONE)
    if not claimed.update(lease_until=now + lease, state=UploadState.READING):
        return
    upload = rows.get()
    folder = _folder(upload_id)
    for number in range(upload.done, len(upload.names)):
        name = upload.names[number]
        try:
            with (folder / str(number)).open("rb") as file:
                content = file.read(FILE_LIMIT + 1)
        except FileNotFoundError:
            upload.quarantined.append([name, "The file was gone before a worker read it."])
        else:
            report = ingest([DeliveredFile(name, content)], SOURCE)
            rows.update(stored=F("stored") + report.stored, repeated=F("repeated") + report.repeated)
            upload.quarantined.extend([name, reason] for _, reason in report.quarantined)
        rows.update(
            done=number + 1,
            quarantined=upload.quarantined[:QUARANTINED_KEPT],
            lease_until=timezone.now() + lease,
        )
    rows.update(state=UploadState.DONE, ended_at=timezone.now(), lease_until=None)
    shutil.rmtree(folder, ignore_errors=True)
