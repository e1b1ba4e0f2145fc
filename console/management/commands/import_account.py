"""`manage.py import_account FILE`: load an export of an account, without credentials."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts.import_export import ExportFiles, import_export
from iam.mirror.accounts.validation import SetupError
from iam.moments import second_words


class Command(BaseCommand):
    """Loads `aws iam get-account-authorization-details`, optionally with the credential report."""

    help = "Load the output of `aws iam get-account-authorization-details` as a snapshot of its account."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the files, and when they were created."""
        parser.add_argument("file", metavar="FILE", type=Path, help="the JSON of the export")
        parser.add_argument(
            "--credential-report", metavar="FILE", type=Path, help="the CSV of the credential report"
        )
        parser.add_argument(
            "--made-at",
            metavar="MOMENT",
            type=_moment,
            help="ISO 8601; default: the newest date in the files",
        )
        parser.add_argument("--name", default="", help="display name of the account")
        parser.add_argument(
            "--accept-loss",
            action="store_true",
            help="confirm that entries missing from the file were deleted in AWS",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the files. Exit code 0: loaded. 1: the files or the account don’t allow it, and nothing is
        stored.
        """
        for path in (options["file"], options["credential_report"]):
            if path is not None and not path.is_file():
                raise CommandError(f"File not found: {path}.")
        parts = ExportFiles(
            export=options["file"],
            report=options["credential_report"],
            name=options["name"],
            observed_at=options["made_at"],
            accept_loss=options["accept_loss"],
        )
        try:
            loaded = import_export(parts, actor=COMMAND_LINE, on_phase=self._say(options["verbosity"]))
        except SetupError as error:
            raise CommandError(error.message) from error
        counts = ", ".join(f"{count} of {kind}" for kind, count in sorted(loaded.counts.items()))
        self.stdout.write(
            f"{loaded.account.name} {loaded.account.account_id} is loaded as of "
            f"{second_words(loaded.observed_at)}: {counts}."
        )
        for warning in loaded.warnings:
            self.stdout.write(f"Note: {warning}")
        if loaded.held:
            self.stdout.write(f"On hold: {loaded.held} Use --accept-loss to confirm that they were deleted.")

    def _say(self, verbosity: int) -> Any:
        return (lambda phase: self.stdout.write(f"{phase} …")) if verbosity > 1 else (lambda phase: None)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
