"""`manage.py evidence OUT.zip`: build an evidence pack in this process."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.management.arguments import account_given
from iam.audit.evidence import verify_evidence
from iam.audit.evidence.change_sample import USUAL_SIZE
from iam.audit.evidence.models import PackKind
from iam.audit.evidence.pack_builder import build_here
from iam.audit.evidence.pack_files import VERIFIER
from iam.audit.evidence.packs import PackOrder, PackRefusedError
from iam.guard import Right, Viewer, ViewerScope
from iam.guard.viewer import ANY_ACCOUNT
from iam.journal.signing_keys import NoSigningKeyError, signer

COMMAND_LINE: Final = Viewer(
    person_id=UUID(int=0),
    name="Command line",
    email="",
    grants=frozenset((right, ANY_ACCOUNT) for right in Right),
    scope=ViewerScope(accounts=None),
)


class Command(BaseCommand):
    """Writes the pack, and next to it the script that verifies it."""

    help = "Build a signed evidence pack (ZIP) and put verify_evidence.py beside it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the output file, the topic, and the options of the sample."""
        parser.add_argument("out", metavar="OUT.zip", nargs="?", help="the file to write")
        about = parser.add_mutually_exclusive_group()
        about.add_argument("--framework", metavar="NAME", help="a framework, such as pci-dss-4.0.1")
        about.add_argument("--review", metavar="REF", help="the reference of an access review")
        about.add_argument("--period", nargs=2, metavar=("FROM", "TO"), help="two days, the second included")
        about.add_argument("--public-key", action="store_true", help="print the public key, build nothing")
        parser.add_argument(
            "--account",
            action="append",
            default=[],
            help="only the account with this ID or exact name; repeatable",
        )
        parser.add_argument("--seed", default="", help="draw the sample with this seed again")
        parser.add_argument("--sample", type=int, default=USUAL_SIZE, metavar="N", help="changes to draw")

    def handle(self, *args: Any, **options: Any) -> None:
        """Build the pack, or print the public key."""
        if options["public_key"]:
            self._print_key()
            return
        if not options["out"]:
            raise CommandError("Name the file to write, such as pack.zip.")
        out = Path(options["out"])
        try:
            pack, counts = build_here(_order(options), out, viewer=COMMAND_LINE)
        except (PackRefusedError, NoSigningKeyError) as error:
            raise CommandError(str(error)) from None
        verifier = out.with_name(VERIFIER)
        shutil.copyfile(verify_evidence.__file__, verifier)
        for name, count in counts.items():
            self.stdout.write(f"{name:<12} {count:,}")
        self.stdout.write(f"Seed of the sample: {pack.seed}")
        self.stdout.write(f"Public key: {signer().verifier}")
        self.stdout.write(self.style.SUCCESS(f"{out}, {out.stat().st_size:,} bytes"))
        self.stdout.write(f"Verify it: python3 {verifier} {out} --key {signer().verifier}")

    def _print_key(self) -> None:
        try:
            self.stdout.write(str(signer().verifier))
        except NoSigningKeyError as error:
            raise CommandError(str(error)) from None


def _order(options: dict[str, Any]) -> PackOrder:
    now = datetime.now(tz=UTC)
    since, until = now - timedelta(days=90), now
    kind, subject = PackKind.PERIOD, ""
    if options["period"]:
        since, until = _day(options["period"][0]), _day(options["period"][1]) + timedelta(days=1)
    elif options["framework"]:
        kind, subject = PackKind.FRAMEWORK, options["framework"]
    elif options["review"]:
        kind, subject = PackKind.REVIEW, options["review"]
    else:
        raise CommandError("Say what the pack is about: --framework, --review or --period.")
    return PackOrder(
        kind=kind,
        subject=subject,
        since=since,
        until=until,
        accounts=tuple(account_given(word).account_id for word in options["account"]),
        seed=options["seed"],
        sample_size=options["sample"],
    )


def _day(text: str) -> datetime:
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text} isn’t a day. Write it as 2026-11-30.") from None
    return day if day.tzinfo else day.replace(tzinfo=UTC)
