"""`manage.py prune_journal`: export and remove journal entries older than the configured limit."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from iam.audit.retention.services import RetentionPlan, RetentionRefusedError, prune, retention_plan
from iam.journal.services import COMMAND_LINE
from iam.moments import moment_words


class Command(BaseCommand):
    """Must run as the owner of the tables, once a day."""

    help = "Export, then remove the entries of the journal that are older than GATEHOUSE_JOURNAL_DAYS."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune, and print what was removed and where it was exported."""
        now = timezone.now()
        try:
            if options["dry_run"]:
                self._tell(retention_plan(now=now))
                return
            cuts = prune(now=now, actor=COMMAND_LINE)
        except RetentionRefusedError as error:
            raise CommandError(str(error)) from None
        for cut in cuts:
            entries = "1 entry" if cut.count == 1 else f"{cut.count:,} entries"
            self.stdout.write(f"Removed {entries}, exported to {cut.export}, SHA-256 {cut.export_sha256}")
        if not cuts:
            self.stdout.write("Nothing to remove.")

    def _tell(self, plan: RetentionPlan) -> None:
        entries = "1 entry" if plan.entries == 1 else f"{plan.entries:,} entries"
        self.stdout.write(
            f"Would remove {entries} from before {moment_words(plan.before)}, up to block {plan.block:,}."
        )
        if plan.hold:
            self.stdout.write(f"Later entries are kept for {plan.hold.reason}.")
