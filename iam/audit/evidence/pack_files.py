"""Writes the files of a pack into a ZIP one after the other, hashing them, and lists them in a signed
manifest.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self, cast

from iam.audit.evidence import verify_evidence
from iam.audit.evidence.tables import KeptRows, PackTable, Progress, Row, cell, plain, printed
from iam.audit.print.pdf import PdfDocument
from iam.journal.signed_notes import NoteSigner

VERIFIER: Final = "verify_evidence.py"
MADE_AT: Final = (1980, 1, 1, 0, 0, 0)
"""A fixed date for the files in the ZIP; the manifest has the time of the pack."""
COMPRESSION: Final = 6


class _Hashing(io.RawIOBase):
    """A writer that hashes the bytes that it passes on."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self.digest = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._target.write(part)
        self.digest.update(part)
        self.size += len(part)
        return len(part)


class PackFiles:
    """A ZIP being written. `close` adds the verifier, the manifest and its signature."""

    def __init__(self, target: Path, *, signer: NoteSigner, about: Row) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION)
        self._signer = signer
        self._about = about
        self._files: list[Row] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._close()
        else:
            # Nothing verifies without a manifest; the caller removes the file.
            self._zip.close()

    @contextmanager
    def binary(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file of the pack as a binary stream."""
        with self._zip.open(_member(name), "w", force_zip64=True) as target:
            hashing = _Hashing(target)
            buffered = io.BufferedWriter(hashing, buffer_size=1 << 16)
            yield buffered
            buffered.flush()
        self._files.append({"path": name, "sha256": hashing.digest.hexdigest(), "bytes": hashing.size})

    @contextmanager
    def text(self, name: str) -> Iterator[IO[str]]:
        """Open a file of the pack as a UTF-8 text stream."""
        with self.binary(name) as file:
            wrapped = io.TextIOWrapper(file, encoding="utf-8", newline="")
            yield wrapped
            wrapped.flush()
            wrapped.detach()

    def json(self, name: str, value: Any) -> None:
        """Write a file with one short JSON value."""
        with self.text(name) as file:
            json.dump(value, file, ensure_ascii=False, indent=1, default=plain)
            file.write("\n")

    def _close(self) -> None:
        with self.binary(VERIFIER) as file:
            file.write(Path(verify_evidence.__file__).read_bytes())
        about = {**self._about, "key": str(self._signer.verifier), "files": self._files}
        manifest = json.dumps(about, ensure_ascii=False, indent=1, default=plain).encode() + b"\n"
        text = f"{self._signer.name}/evidence\nsha256 {hashlib.sha256(manifest).hexdigest()}\n"
        self._zip.writestr(_member(verify_evidence.MANIFEST), manifest)
        self._zip.writestr(_member(verify_evidence.MANIFEST_NOTE), self._signer.sign(text))
        self._zip.close()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, date_time=MADE_AT)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    return member


def write_tables(
    files: PackFiles,
    tables: Sequence[PackTable],
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    as_of: datetime,
    report: Progress,
) -> dict[str, int]:
    """Write each table as JSON and CSV, and all of them as one PDF. Returns the number of rows by table."""
    done = 0
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="gatehouse-evidence-") as folder:
        kept: list[tuple[PackTable, KeptRows]] = []
        for table in tables:
            before = done
            rows = KeptRows(Path(folder) / table.name, table.rows(), report=lambda n, b=before: report(b + n))  # type: ignore[misc]
            done += rows.count
            counts[table.name] = rows.count
            kept.append((table, rows))
            report(done)
        for table, rows in kept:
            _write_json(files, table, rows, as_of=as_of)
            _write_csv(files, table, rows)
        with files.binary("report.pdf") as target:
            _write_pdf(target, kept, title=title, facts=facts, as_of=as_of)
    return counts


def _write_json(files: PackFiles, table: PackTable, rows: KeptRows, *, as_of: datetime) -> None:
    about = {"table": table.name, "title": table.title, "about": table.note, "as_of": as_of, **table.facts}
    with files.text(f"facts/{table.name}.json") as file:
        file.write(json.dumps(about, ensure_ascii=False, default=plain)[:-1] + ', "rows": [')
        between = "\n"
        for line in rows.lines():
            file.write(between + line)
            between = ",\n"
        file.write("\n]}\n")


def _write_csv(files: PackFiles, table: PackTable, rows: KeptRows) -> None:
    with files.text(f"{table.name}.csv") as file:
        writer = csv.writer(file)
        writer.writerow(table.keys)
        for row in rows:
            writer.writerow([cell(row.get(key)) for key in table.keys])


def _write_pdf(
    target: IO[bytes],
    kept: Sequence[tuple[PackTable, KeptRows]],
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    as_of: datetime,
) -> None:
    with PdfDocument(cast(Any, target), title=title, as_of=as_of, is_wide=True) as document:
        document.facts(facts)
        for table, rows in kept:
            document.heading(f"{table.title} ({rows.count:,})")
            document.paragraph(table.note)
            document.table(
                [column.printed for column in table.columns],
                ([printed(row.get(column.key)) for column in table.columns] for row in rows),
            )
