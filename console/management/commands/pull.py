"""`manage.py pull [ACCOUNT…]`: sync accounts in this process, with a progress bar and a summary."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.management.arguments import add_accounts, connected_accounts
from iam.journal.services import COMMAND_LINE
from iam.mirror.models import Account, Pull
from iam.mirror.queries.pulls import summary_of
from iam.mirror.services import free_lost_pulls, request_pull, run_pull

_GOOD = {"complete", "partial"}


class Command(BaseCommand):
    """Syncs the given accounts, or all connected ones, one after the other."""

    help = "Sync AWS accounts now, in the foreground."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add account IDs and --json."""
        add_accounts(parser)
        parser.add_argument("--json", action="store_true", help="print a JSON summary")
        parser.add_argument("--accept-loss", action="store_true", help="confirm removals that are on hold")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sync each account; the exit code is 1 if a section could not be synced."""
        accounts = connected_accounts(options["accounts"])
        if not accounts:
            self.stderr.write("No account is connected. Connect one with `manage.py connect`.")
        summaries = [self._pull(account, options) for account in accounts]
        if options["json"]:
            self.stdout.write(json.dumps({"pulls": summaries}, indent=2))
        if not all(_is_good(summary) for summary in summaries):
            sys.exit(1)

    def _pull(self, account: Account, options: dict[str, Any]) -> dict[str, Any]:
        pull = request_pull(
            account, trigger="command", requested_by=COMMAND_LINE, accept_loss=options["accept_loss"]
        )
        if options["json"] or not sys.stderr.isatty():
            pull = _carried_out(pull)
        else:
            with Bar(pull, label=account.name):
                pull = _carried_out(pull)
        summary = summary_of(pull)
        if not options["json"]:
            self._tell(summary)
        return summary

    def _tell(self, summary: dict[str, Any]) -> None:
        self.stdout.write(
            f"{summary['name']} {summary['account']}: {summary['state']} in {summary['seconds']:.1f} s, "
            f"{summary['calls']['fast']} calls in bulk, {summary['calls']['organization']} for the "
            "organization, "
            f"{summary['calls']['detail']} per entity; "
            f"{summary['added']} new, {summary['changed']} changed, {summary['ended']} ended."
        )
        if summary["message"]:
            self.stdout.write(f"  {summary['message']}")
        for name, section in summary["sections"].items():
            mark = "  " if section["state"] == "complete" else "! "
            self.stdout.write(
                f"  {mark}{name:<22} {section['state']:<9} {section['count']:>7} {section['message']}"
            )


def _carried_out(pull: Pull) -> Pull:
    """Run the sync, or wait for it if a worker was faster; return it when it has ended."""
    pull = run_pull(pull.pk)
    while not pull.is_final:
        time.sleep(0.5)
        free_lost_pulls()
        pull.refresh_from_db()
    return pull


def _is_good(summary: dict[str, Any]) -> bool:
    sections = summary["sections"].values()
    return summary["state"] in _GOOD and not any(s["state"] in {"failed", "denied", "held"} for s in sections)


class Bar:
    """A progress bar on the terminal that follows the sync's row while another thread runs it."""

    WIDTH = 30

    def __init__(self, pull: Pull, *, label: str) -> None:
        self._pull_id, self._label = pull.pk, label
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Bar:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        sys.stderr.write("\r\033[K")

    def _follow(self) -> None:
        from django.db import connection

        while not self._stop.wait(0.3):
            row = (
                Pull.objects.filter(pk=self._pull_id).values_list("calls", "calls_expected", "phase").first()
            )
            if row:
                calls, expected, phase = row
                done = self.WIDTH * calls // max(expected, calls, 1)
                bar = "█" * done + "░" * (self.WIDTH - done)
                sys.stderr.write(f"\r\033[K{self._label} {bar} {calls}/{max(expected, calls)} {phase}")
                sys.stderr.flush()
        connection.close()
