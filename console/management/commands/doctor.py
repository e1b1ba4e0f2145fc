"""`manage.py doctor [ACCOUNT…]`: test every required permission, and name the missing ones."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.management.arguments import add_accounts, connected_accounts
from iam.journal.services import COMMAND_LINE
from iam.mirror.doctor.checks import StoredExamination, statement
from iam.mirror.doctor.run import run_examination
from iam.mirror.doctor.services import request_examination
from iam.mirror.models import Account, DoctorRun
from iam.mirror.queries.setup import active_examination

MARKS = {
    "ok": "ok",
    "warning": "look",
    "denied": "DENIED",
    "failed": "FAILED",
    "untested": "-",
    "skipped": "-",
}


class Command(BaseCommand):
    """Examines the given accounts, or all connected ones, one after the other."""

    help = (
        "Test every permission that Gatehouse needs in an account, without changing anything, and list the "
        "missing ones."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add account IDs and --json."""
        add_accounts(parser)
        parser.add_argument("--json", action="store_true", help="print the checks as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine each account; the exit code is 1 if something is missing or broken."""
        runs = [examined(account) for account in connected_accounts(options["accounts"])]
        if options["json"]:
            self.stdout.write(json.dumps({"accounts": [_as_json(run) for run in runs]}, indent=2))
        else:
            for run in runs:
                print_examination(self, run)
        if any(StoredExamination(tuple(run.checks)).failed_checks for run in runs):
            sys.exit(1)


def examined(account: Account) -> DoctorRun:
    """Examine an account in this process and return the result. Raises CommandError while a worker examines
    it.
    """
    run = active_examination(account) or request_examination(account, actor=COMMAND_LINE, nudged=False)
    done = run_examination(run.pk)
    if done is None:
        raise CommandError(f"{account.name} is being checked right now. Try again in a minute.")
    return done


def print_examination(command: BaseCommand, run: DoctorRun) -> None:
    """Print an examination, with the statements to add."""
    account, findings = run.account, StoredExamination(tuple(run.checks))
    command.stdout.write(f"{account.name} {account.account_id}")
    for check in findings.checks:
        first, *more = check["detail"].splitlines() or [""]
        command.stdout.write(f"  {MARKS[check['verdict']]:<7} {check['title']:<42} {first}")
        for line in more:
            command.stdout.write(f"  {'':<50} {line}")
    for role, missing in (
        (account.role_arn, findings.missing_reads),
        (account.write_role_arn, findings.missing_writes),
    ):
        if missing:
            command.stdout.write(
                f"Add to the policy of {role or 'the role of the worker'}:\n{statement(missing)}"
            )
    if not findings.failed_checks:
        command.stdout.write("No permission is missing.")


def _as_json(run: DoctorRun) -> dict[str, Any]:
    findings = StoredExamination(tuple(run.checks))
    return {
        "account": run.account.account_id,
        "name": run.account.name,
        "examined_at": run.ended_at.isoformat() if run.ended_at else None,
        "reachable": findings.is_reachable,
        "missing": {"read": list(findings.missing_reads), "write": list(findings.missing_writes)},
        "checks": run.checks,
    }
