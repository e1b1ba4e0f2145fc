"""The places where anchors are stored, from the setting: `file:FOLDER`, `s3://BUCKET/PREFIX?region=R&days=N`
or `mailto:ADDRESS`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError
from iam.aws.locked_objects import put_locked
from iam.aws.reads.trail_bucket import list_page, read_object
from iam.aws.session import connect
from iam.journal.anchors import MAX_NOTES, AnchorNote
from iam.journal.models import JournalBlock

SUFFIX: Final = ".note"
NOTE_BYTES: Final = 100_000
USUAL_DAYS: Final = 400
NO_ACCOUNT: Final = "0" * 12
"""A placeholder, because the worker's own credentials are used, whatever account they belong to."""


class AnchorPlaceError(Exception):
    """Raised if a place can't be written or read; the message is a sentence."""


class AnchorPlace(ABC):
    """A place where anchors are stored."""

    name: str

    @abstractmethod
    def write(self, block: JournalBlock, note: str, *, now: datetime) -> None:
        """Store a note. Raises AnchorPlaceError."""

    def read(self) -> Iterator[AnchorNote]:
        """The stored notes; empty for a place that can't be read back. Raises AnchorPlaceError."""
        return iter(())


def file_name(block: JournalBlock) -> str:
    """The file name of an anchor. Names sort by block."""
    return f"{block.sequence:012d}{SUFFIX}"


@dataclass(frozen=True, slots=True)
class FolderPlace(AnchorPlace):
    """A folder, such as an append-only mount."""

    folder: Path

    @property
    def name(self) -> str:  # type: ignore[override]
        """The label on the page."""
        return f"folder {self.folder}"

    def write(self, block: JournalBlock, note: str, *, now: datetime) -> None:
        """Write one file per block. Writing the same anchor again changes nothing."""
        path = self.folder / file_name(block)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists():
                return
            draft.write_text(note, encoding="utf-8")
            draft.replace(path)
        except OSError as error:
            raise AnchorPlaceError(f"{self.name}: {error.strerror or type(error).__name__}.") from None

    def read(self) -> Iterator[AnchorNote]:
        """The newest notes."""
        yield from notes_in(self.folder)


def notes_in(path: Path) -> Iterator[AnchorNote]:
    """The notes in a folder or a single file. Raises AnchorPlaceError."""
    try:
        files = sorted(path.glob(f"*{SUFFIX}"))[-MAX_NOTES:] if path.is_dir() else [path]
        for file in files:
            with file.open(encoding="utf-8", errors="surrogateescape") as opened:
                yield AnchorNote(str(file), opened.read(NOTE_BYTES))
    except FileNotFoundError as error:
        raise AnchorPlaceError(f"{error.filename} isn’t there.") from None
    except OSError as error:
        raise AnchorPlaceError(f"{path}: {error.strerror or type(error).__name__}.") from None


@dataclass(frozen=True, slots=True)
class BucketPlace(AnchorPlace):
    """A bucket with Object Lock, written with the worker's own credentials."""

    bucket: str
    prefix: str
    region: str
    days: int

    @property
    def name(self) -> str:  # type: ignore[override]
        """The label on the page."""
        return f"s3://{self.bucket}/{self.prefix}"

    def write(self, block: JournalBlock, note: str, *, now: datetime) -> None:
        """Write an object that can't be deleted or replaced before its retention date."""
        until = now + timedelta(days=self.days)
        aws = connect(AccountAccess(NO_ACCOUNT, region=self.region))
        try:
            put_locked(
                aws,
                bucket=self.bucket,
                region=self.region,
                key=self.prefix + file_name(block),
                body=note.encode(),
                until=until,
            )
        except AwsError as error:
            raise AnchorPlaceError(f"{self.name}: {error}") from None
        finally:
            aws.close()

    def read(self) -> Iterator[AnchorNote]:
        """All notes under the prefix, in block order."""
        aws = connect(AccountAccess(NO_ACCOUNT, region=self.region))
        after = ""
        try:
            while True:
                page = list_page(aws, bucket=self.bucket, region=self.region, prefix=self.prefix, after=after)
                for entry in page.objects:
                    after = entry.key
                    if entry.key.endswith(SUFFIX):
                        content = read_object(
                            aws, bucket=self.bucket, region=self.region, key=entry.key, limit=NOTE_BYTES
                        ).content
                        text = content.decode("utf-8", errors="surrogateescape")
                        yield AnchorNote(f"s3://{self.bucket}/{entry.key}", text)
                if page.is_last or not page.objects:
                    return
        except AwsError as error:
            raise AnchorPlaceError(f"{self.name}: {error}") from None
        finally:
            aws.close()


@dataclass(frozen=True, slots=True)
class MailPlace(AnchorPlace):
    """A mail address whose mailbox keeps the anchors. It can't be read back: pass saved notes to
    `verify_journal`.
    """

    address: str

    @property
    def name(self) -> str:  # type: ignore[override]
        """The label on the page."""
        return f"mail to {self.address}"

    def write(self, block: JournalBlock, note: str, *, now: datetime) -> None:
        """Send the note as an attachment, because mail programs rewrap text."""
        mail = EmailMessage(
            subject=f"[Gatehouse] Journal anchor, block {block.sequence:,}",
            body="The attached signed note says where the journal ended. Keep it: with it, "
            "manage.py verify_journal --anchors FILE finds a journal that was rewritten since.\n",
            to=[self.address],
        )
        mail.attach(file_name(block), note, "text/plain")
        try:
            mail.send()
        except OSError as error:
            raise AnchorPlaceError(f"{self.name}: {type(error).__name__}.") from None


def configured_places() -> list[AnchorPlace]:
    """The configured places. Raises AnchorPlaceError if one is malformed."""
    return [place_of(text) for text in settings.JOURNAL_ANCHORS]


def place_of(text: str) -> AnchorPlace:
    """Parse a place. Raises AnchorPlaceError."""
    parts = urlsplit(text)
    if parts.scheme == "file" and parts.path:
        return FolderPlace(Path(parts.path))
    if parts.scheme == "mailto" and "@" in parts.path:
        return MailPlace(parts.path)
    if parts.scheme == "s3" and parts.netloc:
        options = parse_qs(parts.query)
        days = options.get("days", [str(USUAL_DAYS)])[0]
        region = options.get("region", [""])[0]
        if days.isdecimal() and int(days) and region:
            return BucketPlace(parts.netloc, parts.path.lstrip("/"), region, int(days))
    raise AnchorPlaceError(
        f"{text} isn’t a place for anchors: write file:FOLDER, s3://BUCKET/PREFIX?region=R or mailto:ADDRESS."
    )
