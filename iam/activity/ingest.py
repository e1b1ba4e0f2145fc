"""Reads trail files into the activity tables. Files and events that were read before change nothing."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath
from typing import Final, NamedTuple

from django.conf import settings
from django.utils import timezone

from iam.activity.models import TrailFile
from iam.activity.records import EventRecord, RecordError, event_of
from iam.activity.storage import ReadFile, known_files, store
from iam.activity.trail_files import FILE_LIMIT, TrailFileError, records_of
from iam.policy.memory import collecting_paused

BATCH_FILES: Final = 400
BATCH_BYTES: Final = 4 * 1024 * 1024
BATCH_EVENTS: Final = 20_000
"""A batch is stored in one transaction. It ends at the first of these limits (bytes as delivered)."""
SUFFIXES: Final = (".json", ".json.gz", ".gz", ".jsonl", ".ndjson")
DIGEST_FOLDER: Final = "CloudTrail-Digest"
NAME_LENGTH: Final = 1024
LINKED_FOLDER: Final = "The folder is a symbolic link, which isn’t followed. Name the folder itself."
LINK_TO_NOTHING: Final = "It is a symbolic link, and what it leads to isn’t there."
SPECIAL: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
"""What a path can be besides a file or a folder."""


class DeliveredFile(NamedTuple):
    """A delivered file: its location and its bytes. `problem` says why there are no bytes."""

    name: str
    content: bytes
    problem: str = ""

    @property
    def digest(self) -> str:
        """The digest that identifies the file: of its bytes, or of its name if it couldn't be opened."""
        return unread_digest(self.name) if self.problem else content_digest(self.content)


class FoundPath(NamedTuple):
    """A file that was named or found in a folder, or a folder that isn't searched. `problem` says why it
    can't be read.
    """

    path: Path
    problem: str = ""


@dataclass(slots=True)
class IngestReport:
    """The result of reading files. `events` is the number of valid events; `quarantined` has the names of
    files that could not be read completely, with the reasons, and `unread` those without any valid event.
    """

    files: int = 0
    events: int = 0
    stored: int = 0
    repeated: int = 0
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)

    def add(self, name: str, row: TrailFile, *, is_new: bool) -> None:
        """Count a file."""
        events = row.stored + row.repeated
        self.files += 1
        self.events += events
        self.stored += row.stored if is_new else 0
        self.repeated += row.repeated if is_new else events
        if row.reason:
            self.quarantined.append((name, row.reason))
            if not events:
                self.unread.add(name)


def ingest(
    deliveries: Iterable[DeliveredFile],
    source: str,
    *,
    progress: Callable[[IngestReport], None] | None = None,
) -> IngestReport:
    """Store the new events of files in batches, and call `progress` after each. `source` says how the files
    came (`TrailFile.source`).
    """
    report = IngestReport()
    now = timezone.now()
    for batch in _batches(deliveries):
        # Events have no circular references. Searching for them took a sixth of the time.
        with collecting_paused():
            _ingest_batch(batch, source, now, report)
        if progress is not None:
            progress(report)
    return report


def deliveries_in(files: Iterable[FoundPath]) -> Iterator[DeliveredFile]:
    """Yield the contents of the files, each with a reason if it can't be read. A file that vanishes in the
    meantime is left out.
    """
    for path, known_problem in files:
        content, problem = b"", known_problem
        if not problem:
            try:
                # A larger file isn't read completely: its first bytes are enough to report that.
                is_small = path.stat().st_size <= FILE_LIMIT
                content = path.read_bytes() if is_small else _start_of(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                problem = _unreadable(error)
        yield DeliveredFile(name_of(path), content, problem)


def files_in(paths: Sequence[Path]) -> list[FoundPath]:
    """Return the trail files at these paths, including those in folders, by name. A file that is named
    explicitly is included whatever its name is. Digest files are left out.
    """
    files: list[FoundPath] = []
    for path in paths:
        problem = _problem_of(path)
        if not problem and path.is_dir():
            inside = _files_below(path)
            files.extend(sorted(file for file in inside if DIGEST_FOLDER not in file.path.parts))
        else:
            files.append(FoundPath(path, problem))
    return files


def _files_below(folder: Path) -> Iterator[FoundPath]:
    """Yield the trail files in a folder, and its subfolders that can't be listed. Links to folders are not
    followed, since they can be circular.
    """
    errors: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=errors.append):
        for name in folders:
            path = Path(root, name)
            if path.is_symlink():
                yield FoundPath(path, LINKED_FOLDER)
        for name in names:
            if name.endswith(SUFFIXES):
                path = Path(root, name)
                yield FoundPath(path, _problem_of(path))
    for error in errors:
        yield FoundPath(Path(error.filename), f"The folder can’t be listed: {error.strerror}.")


def _problem_of(path: Path) -> str:
    """Return why a path is neither a file nor a folder, or an empty string if it is one or is gone. Opening a
    named pipe would block.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return LINK_TO_NOTHING if path.is_symlink() else ""
    except OSError as error:
        return _unreadable(error)
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return ""
    return f"It is {SPECIAL.get(stat.S_IFMT(mode), 'a special file')}, not a file with events."


def _unreadable(error: OSError) -> str:
    return f"The file can’t be opened: {error.strerror}."


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FILE_LIMIT + 1)


def _batches(deliveries: Iterable[DeliveredFile]) -> Iterator[list[DeliveredFile]]:
    batch: list[DeliveredFile] = []
    size = 0
    for delivery in deliveries:
        batch.append(delivery)
        size += len(delivery.content)
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _ingest_batch(batch: Sequence[DeliveredFile], source: str, now: datetime, report: IngestReport) -> None:
    """Read the new files of a batch and store their events."""
    _forget_unread(batch)
    digests = [delivery.digest for delivery in batch]
    rows = known_files(digests)
    before = frozenset(rows)
    unread: dict[str, DeliveredFile] = {}
    for digest, delivery in zip(digests, batch, strict=True):
        if digest not in rows:
            unread.setdefault(digest, delivery)
    for part in _parts(_read(delivery, digest, source, now) for digest, delivery in unread.items()):
        rows |= store(part)
    counted = set(before)
    for digest, delivery in zip(digests, batch, strict=True):
        report.add(delivery.name, rows[digest], is_new=digest not in counted)
        counted.add(digest)


def _forget_unread(batch: Sequence[DeliveredFile]) -> None:
    """Delete the records of unreadable files in the batch, so that they are retried, and of unreadable
    folders whose files are now delivered.
    """
    names = {delivery.name for delivery in batch}
    for name in list(names):
        names.update(map(str, PurePath(name).parents))
    TrailFile.objects.filter(digest__in=[unread_digest(name) for name in sorted(names)]).delete()


def _parts(files: Iterable[ReadFile]) -> Iterator[list[ReadFile]]:
    """Yield the files in parts, each with as many events as one transaction takes."""
    part: list[ReadFile] = []
    events = 0
    for file in files:
        part.append(file)
        events += len(file.events)
        if events >= BATCH_EVENTS:
            yield part
            part, events = [], 0
    if part:
        yield part


def content_digest(content: bytes) -> str:
    """Return the BLAKE2b-128 of a file's bytes, in hex."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def unread_digest(name: str) -> str:
    """Return the digest that stands for a file that couldn't be opened."""
    return content_digest(f"unread\0{name}".encode())


def _read(delivery: DeliveredFile, digest: str, source: str, now: datetime) -> ReadFile:
    """Return a file with its valid events, and the reason why others are invalid."""
    row = TrailFile(
        digest=digest,
        source=source,
        name=delivery.name[-NAME_LENGTH:],
        size=len(delivery.content),
        read_at=now,
    )
    if delivery.problem:
        row.reason = delivery.problem[:256]
        return ReadFile(row)
    try:
        records = records_of(delivery.content)
    except TrailFileError as error:
        row.reason = str(error)[:256]
        return ReadFile(row)
    keep_raw: bool = settings.ACTIVITY_KEEP_EVENTS
    events: list[EventRecord] = []
    refusals: list[str] = []
    for record in records:
        try:
            events.append(event_of(record, now, keep_raw=keep_raw))
        except RecordError as error:
            refusals.append(str(error))
    row.refused = len(refusals)
    if refusals:
        row.reason = f"{len(refusals)} of {len(records)} events left out: {_counted(refusals)}."[:256]
    if events:
        row.first_at = min(event.at for event in events)
        row.last_at = max(event.at for event in events)
    return ReadFile(row, events)


def name_of(path: Path) -> str:
    """Return a path as text, with bytes that aren't valid text escaped."""
    return str(path).encode(errors="backslashreplace").decode()


def _counted(refusals: Sequence[str]) -> str:
    """Return each reason once, most frequent first, with its count if there are several reasons."""
    counts = Counter(refusals).most_common()
    if len(counts) == 1:
        return counts[0][0]
    return "; ".join(f"{reason} ({count})" for reason, count in counts)
