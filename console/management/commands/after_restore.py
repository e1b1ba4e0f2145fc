"""`manage.py after_restore`: hold the changes of a restored backup, list them, and release them after a
decision.
"""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.restored_backup import after_restore
from iam.changes.errors import RefusedError
from iam.changes.restore import services
from iam.journal.services import COMMAND_LINE
from iam.moments import moment_words
from iam.phrases import counted


class Command(BaseCommand):
    """Starts the hold if called without options; called again, it lists what waits."""

    help = (
        "After a restored backup: hold queued and running changes, end sessions, links and one-time secrets, "
        "and decide what goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options, which exclude each other."""
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--status", action="store_true", help="only list what is on hold")
        group.add_argument(
            "--release", action="store_true", help="end the hold: changes go on, except those in --cancel"
        )
        group.add_argument(
            "--cancel-all", action="store_true", help="end the hold, and cancel every change that it held"
        )
        parser.add_argument(
            "--cancel",
            action="append",
            default=[],
            metavar="CHG-…",
            help="with --release: a request to cancel; can be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cancel"] and not options["release"]:
            raise CommandError("--cancel belongs to --release.")
        if options["release"] or options["cancel_all"]:
            cancelled = None if options["cancel_all"] else options["cancel"]
            self._release(cancelled)
            return
        if not options["status"] and not services.is_held():
            ended = after_restore(cause="Started on the command line.", actor=COMMAND_LINE)
            sessions, links = counted(ended.sessions, "session"), counted(ended.links, "one-time link")
            self.stdout.write(
                f"Ended {sessions} and {links}, destroyed {counted(ended.secrets, 'one-time secret')}."
            )
        self._list()

    def _release(self, cancel: list[str] | None) -> None:
        try:
            released = services.end_hold(cancel=cancel, actor=COMMAND_LINE, label=getpass.getuser())
        except RefusedError as error:
            raise CommandError(error.message) from None
        self.stdout.write(self.style.SUCCESS(f"The hold is over. {_released_text(released)}"))

    def _list(self) -> None:
        waiting = services.waiting()
        if waiting is None:
            self.stdout.write("Nothing is on hold.")
            return
        self.stdout.write(f"On hold since {moment_words(waiting.hold.began_at)}. {waiting.hold.cause}")
        for change in waiting.changes:
            self.stdout.write(
                f"{change.reference}  {change.get_state_display()}  {change.account.name}  {change.title}  "
                f"(requested by {change.requested_label})"
            )
        for account in waiting.unsynced:
            self.stdout.write(self.style.WARNING(f"Not synced since: {account.name} ({account.account_id})"))
        if waiting.changes:
            self.stdout.write(
                "Compare each with AWS as it is now, then run --release (with --cancel CHG-… for what must "
                "not go on) or --cancel-all."
            )
        else:
            self.stdout.write("No change is queued or running. Run --release to end the hold.")


def _released_text(released: services.ReleaseResult) -> str:
    """Return "2 changes were cancelled, 1 that was running is unknown now, 3 go on."; zeros are left out."""
    parts = []
    if released.cancelled:
        parts.append(
            f"{counted(released.cancelled, 'change')} {'was' if released.cancelled == 1 else 'were'} "
            "cancelled"
        )
    if released.unknown:
        verb = "has" if released.unknown == 1 else "have"
        parts.append(f"{counted(released.unknown, 'running change')} {verb} an unknown outcome: check in AWS")
    if released.continued:
        verb = "goes" if released.continued == 1 else "go"
        parts.append(f"{counted(released.continued, 'change')} {verb} on")
    return f"{'; '.join(parts)}." if parts else "No change was on hold."
