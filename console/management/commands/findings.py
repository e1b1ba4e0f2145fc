"""`manage.py findings`: problems in the accounts, by the rules of `iam.audit.findings`."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, OutputWrapper

from console.access.options import moment_given
from console.management.arguments import account_given
from iam.audit.findings.report import FindingReport, report_at, report_now
from iam.audit.findings.rules import all_rules
from iam.mirror.models import Account


class Command(BaseCommand):
    """Reads the mirror and calculates what is due; never calls AWS. The exit code is 0 even if there are
    findings.
    """

    help = "List findings: what is wrong in the accounts, with evidence and fix."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the accounts, the moment, and the output format."""
        parser.add_argument("--account", default="", help="only the account with this ID or exact name")
        parser.add_argument("--as-of", default="", help="a past time, such as 2026-11-24T14:05 (UTC)")
        parser.add_argument("--json", action="store_true", help="print a JSON list")
        parser.add_argument("--kinds", action="store_true", help="list the kinds of findings")

    def handle(self, *args: Any, **options: Any) -> None:
        """Calculate and print the findings."""
        if options["kinds"]:
            self._print_kinds(is_json=options["json"])
            return
        at = moment_given(options["as_of"])
        accounts = _accounts(options["account"])
        report = report_at(accounts, at) if at else report_now(accounts)
        rows = report.rows
        unknown = _unknown(report)
        for name in unknown:
            self.stderr.write(f"{name}: nothing was synced by then, so its findings are unknown.")
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False))
            self._print_unjudged(report, out=self.stderr)
            return
        for row in rows:
            notes = [note for note in (row["certainty"], row["status"]) if note not in ("confirmed", "open")]
            shown = f" ({', '.join(notes)})" if notes else ""
            self.stdout.write(f"{row['severity']:<9} {row['kind']:<42} {row['subject']}{shown}")
        if accounts and len(unknown) == len(accounts):
            return
        self._print_unjudged(report, out=self.stdout)
        counts = Counter(row["severity"] for row in rows)
        numbers = ", ".join(
            f"{counts[severity]} {severity}" for severity in ("critical", "high", "medium", "low")
        )
        self.stdout.write(f"{len(rows)} findings: {numbers}.")

    def _print_unjudged(self, report: FindingReport, *, out: OutputWrapper) -> None:
        """Print how many kinds are unknown in accounts where others are known."""
        total = len(all_rules())
        for name, unread in sorted(report.unread.items()):
            if 0 < len(unread) < total:
                out.write(f"{name}: {len(unread)} of {total} kinds couldn’t be judged.")

    def _print_kinds(self, *, is_json: bool) -> None:
        rules = all_rules().values()
        if is_json:
            kinds = [
                {"kind": rule.kind, "severity": rule.severity.name.lower(), "sentence": rule.sentence}
                for rule in rules
            ]
            self.stdout.write(json.dumps(kinds, indent=2, ensure_ascii=False))
            return
        width = max(len(rule.kind) for rule in rules)
        for rule in rules:
            self.stdout.write(f"{rule.kind:<{width}}  {rule.sentence}")


def _unknown(report: FindingReport) -> list[str]:
    """Return the accounts for which no kind could be judged."""
    every = all_rules().keys()
    return sorted(name for name, unread in report.unread.items() if unread >= every)


def _accounts(word: str) -> list[Account]:
    """Return the account with this ID or name; all connected accounts without one."""
    if word:
        return [account_given(word)]
    return list(Account.objects.filter(removed_at__isnull=True).order_by("name", "pk"))
