"""`manage.py assertions`: check the assertions, such as in CI."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from iam.audit.assertions.models import AssertionState
from iam.audit.assertions.report import rows_now


class Command(BaseCommand):
    """Reads the mirror and checks what is due; never calls AWS. The exit code is 1 if an assertion is
    broken.
    """

    help = "List assertions and who breaks them. The exit code is 1 if one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the output format."""
        parser.add_argument("--json", action="store_true", help="print a JSON list")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the assertions and print the results."""
        rows = rows_now()
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False))
        else:
            for row in rows:
                self._print(row)
        if any(row["state"] == AssertionState.BROKEN for row in rows):
            sys.exit(1)

    def _print(self, row: dict[str, Any]) -> None:
        self.stdout.write(f"{row['state']:<8} {row['name']}")
        for arn in row["broken_by"]:
            self.stdout.write(f"         broken by {arn}")
        for clause in row["unread"]:
            self.stdout.write(f"         unknown: {clause}")
