"""`manage.py ingest_trail PATH…`: read CloudTrail log files and store their events."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iam.activity.ingest import IngestReport, deliveries_in, files_in, ingest, name_of

BAR_WIDTH: Final = 30


class Command(BaseCommand):
    """Reads files and folders in this process; needs no AWS account and no worker."""

    help = (
        "Add the events of CloudTrail log files (JSON, gzip). Files and events that are known already change "
        "nothing. Files with errors are listed with the reason. The exit code is 1 if a PATH couldn’t be "
        "read, or if no file could."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add files or folders, and --json."""
        parser.add_argument(
            "paths", nargs="+", metavar="PATH", help="a file, or a folder with its subfolders"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ingest everything. The exit code is 1 if a given path, or every file, couldn’t be read."""
        paths = [Path(path) for path in options["paths"]]
        for path in paths:
            if _is_missing(path):
                raise CommandError(f"{path} doesn’t exist. Name a CloudTrail log file or a folder of them.")
        files = files_in(paths)
        report = ingest(deliveries_in(files), "command", progress=lambda made: self._draw(made, len(files)))
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(report), indent=2))
        else:
            self._erase()
            self.stdout.write(_sentence(report))
            for name, reason in report.quarantined:
                self.stdout.write(f"  {name}: {reason}")
        if _is_unread(paths, report):
            sys.exit(1)

    def _draw(self, report: IngestReport, total: int) -> None:
        """Draw the progress, only on a terminal."""
        if not sys.stderr.isatty():
            return
        full = BAR_WIDTH * report.files // max(total, 1)
        bar = "#" * full + "." * (BAR_WIDTH - full)
        self.stderr.write(f"\r[{bar}] {report.files}/{total} files, {report.events:,} events", ending="")
        self.stderr.flush()

    def _erase(self) -> None:
        if sys.stderr.isatty():
            self.stderr.write("\r\x1b[K", ending="")


def _is_missing(path: Path) -> bool:
    """Return whether the path doesn’t exist; an inaccessible path is quarantined like a file that can’t be
    opened.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _is_unread(paths: list[Path], report: IngestReport) -> bool:
    """Return whether one of the given paths, or every file below them, couldn’t be read."""
    is_path_unread = not report.unread.isdisjoint(map(name_of, paths))
    return is_path_unread or 0 < report.files == len(report.unread)


def _sentence(report: IngestReport) -> str:
    files = "1 file" if report.files == 1 else f"{report.files:,} files"
    events = "1 event" if report.events == 1 else f"{report.events:,} events"
    outcome = f"{report.stored:,} stored, {report.repeated:,} known before"
    end = f", {len(report.quarantined)} quarantined:" if report.quarantined else "."
    return f"{files} with {events}: {outcome}{end}"


def _as_json(report: IngestReport) -> dict[str, Any]:
    return {
        "files": report.files,
        "events": report.events,
        "stored": report.stored,
        "repeated": report.repeated,
        "quarantined": [{"file": name, "reason": reason} for name, reason in report.quarantined],
    }
