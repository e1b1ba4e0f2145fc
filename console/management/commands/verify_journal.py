"""`manage.py verify_journal`: recompute the hash chain, and report whether it is intact."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from iam.audit.anchors.places import AnchorPlaceError, notes_in
from iam.audit.reviews import triggers as review_triggers
from iam.audit.reviews.verification import altered_reviews
from iam.journal import triggers
from iam.journal.anchors import AnchorNote, ReadAnchors, heads_of, read_all
from iam.journal.services import COMMAND_LINE, record
from iam.journal.signing_keys import verifiers
from iam.journal.verify import ChainVerdict, acknowledge, verify

# New entries are chained every second: an older unchained entry means that no process chains.
TAIL_SECONDS = 60
# Maximum number of printed warnings about dates; --json has all.
WARNINGS = 20


class Command(BaseCommand):
    """Exit code 0: the chain is intact. 1: it is broken, or a signed-off review was altered. 2: it is intact,
    but triggers are missing, no process chains, or entries have wrong dates.
    """

    help = (
        "Recompute the hash chain of the journal, and compare the reviews that were signed off with it; exit "
        "code 1 names what is broken, 2 warns."
    )
    # The command reports and restores missing triggers, so it must run without them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--expect",
            metavar="BLOCK:HASH",
            type=_expectation,
            help="a block number and its hash, noted down earlier and kept elsewhere",
        )
        parser.add_argument(
            "--anchors",
            nargs="*",
            metavar="PATH",
            help="check against signed anchors: of the configured places, or of these files and folders",
        )
        parser.add_argument(
            "--restore-triggers", action="store_true", help="put missing triggers back and record it"
        )

        parser.add_argument(
            "--acknowledge",
            metavar="REASON",
            help="record that you have looked at the dating warnings, and why they are harmless",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not triggers.tables_exist(connection):
            raise CommandError("The tables of the journal are missing: run `manage.py migrate` first.")
        absent = triggers.missing(connection) + review_triggers.missing(connection)
        expect, unverified = _expected(options)
        verdict = verify(expect=expect)
        altered = altered_reviews()
        if absent and options["restore_triggers"]:
            triggers.create(connection)
            review_triggers.create(connection)
            record(kind="journal.triggers_restored", actor=COMMAND_LINE, data={"missing": absent})
        if options["acknowledge"] and verdict.is_intact:
            acknowledge(verdict, actor=COMMAND_LINE, reason=options["acknowledge"])
            verdict = verify(expect=expect)
        if options["json"]:
            whole = _as_json(verdict, absent) | {"anchors": len(expect), "anchor_problems": unverified}
            whole["altered_reviews"] = altered
            self.stdout.write(json.dumps(whole, indent=2))
        else:
            self._tell(verdict, absent, restored=options["restore_triggers"])
            self._tell_anchors(expect, unverified, are_asked=options["anchors"] is not None)
            for sentence in altered:
                self.stdout.write(self.style.ERROR(sentence))
        if not verdict.is_intact or unverified or altered:
            sys.exit(1)
        unprotected = absent and not options["restore_triggers"]
        if unprotected or verdict.open_warnings or verdict.tail_age() > TAIL_SECONDS:
            sys.exit(2)

    def _tell(self, verdict: ChainVerdict, absent: list[str], *, restored: bool) -> None:
        write = self.stdout.write
        if verdict.broken:
            write(self.style.ERROR(f"The chain is broken. {verdict.broken.sentence}"))
            write(f"It holds up to block {verdict.head_sequence}, hash {verdict.head}.")
        else:
            write(
                self.style.SUCCESS(
                    f"The chain holds: {verdict.entries:,} entries in {verdict.blocks:,} blocks, checked in "
                    f"{verdict.seconds:.1f} s."
                )
            )
            if verdict.removed:
                write(f"{verdict.removed:,} of these entries were removed by the retention setting.")
            write(f"Head: {verdict.head_sequence}:{verdict.head}")
        not_chained = (
            f"Not chained yet: {verdict.tail:,} entries, the oldest for {verdict.tail_age():.1f} s."
            if verdict.tail
            else "Not chained yet: none."
        )
        write(not_chained)
        for warning in verdict.open_warnings[:WARNINGS]:
            write(self.style.WARNING(f"Wrong date in block {warning.block:,}: {warning.sentence}"))
        if verdict.open_warnings:
            write(
                f"{len(verdict.open_warnings):,} blocks have wrong dates. The chain holds all the same. "
                "Find out whose clock was wrong, "
                "then acknowledge them with --acknowledge REASON."
            )
        if acknowledged := len(verdict.dating) - len(verdict.open_warnings):
            write(f"Blocks with wrong dates that were acknowledged: {acknowledged:,}.")
        if absent:
            done = "They were put back." if restored else "Put them back with --restore-triggers."
            write(self.style.WARNING(f"Triggers were missing or altered: {', '.join(absent)}. {done}"))

    def _tell_anchors(self, expect: dict[int, str], unverified: list[str], *, are_asked: bool) -> None:
        for sentence in unverified:
            self.stdout.write(self.style.ERROR(f"Anchor not verified. {sentence}"))
        if are_asked:
            newest = f", the newest of block {max(expect):,}" if expect else ""
            anchors = "1 anchor" if len(expect) == 1 else f"{len(expect):,} anchors"
            self.stdout.write(f"Checked against {anchors}{newest}.")


def _expected(options: dict[str, Any]) -> tuple[dict[int, str], list[str]]:
    """Return the block hashes recorded elsewhere, and the problems with these records."""
    hashes: dict[int, str] = {}
    problems: list[str] = []
    if options["anchors"] is not None:
        read = _named(options["anchors"]) if options["anchors"] else read_all()
        heads = heads_of(read.notes, verifiers())
        hashes = dict(heads.hashes)
        problems = [*filter(None, [heads.conflict]), *heads.problems, *read.problems]
        if not read.notes:
            problems.append("No anchors were found.")
    if options["expect"]:
        number, digest = options["expect"]
        if hashes.setdefault(number, digest) != digest:
            problems.append(f"An anchor names another hash of block {number}.")
    return hashes, problems


def _named(paths: list[str]) -> ReadAnchors:
    notes: list[AnchorNote] = []
    problems: list[str] = []
    for path in paths:
        try:
            notes += notes_in(Path(path))
        except AnchorPlaceError as error:
            problems.append(str(error))
    return ReadAnchors(tuple(notes), tuple(problems))


def _expectation(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise argparse.ArgumentTypeError("write the number of a block and its hash, such as 412:9f31…")
    return int(number), digest.lower()


def _as_json(verdict: ChainVerdict, absent: list[str]) -> dict[str, Any]:
    broken = verdict.broken
    return {
        "holds": verdict.is_intact,
        "broken": {"sentence": broken.sentence, "block": broken.block, "entry": broken.entry}
        if broken
        else None,
        "blocks": verdict.blocks,
        "entries": verdict.entries,
        "head": {"sequence": verdict.head_sequence, "hash": verdict.head},
        "removed": verdict.removed,
        "tail": {"count": verdict.tail, "oldest_seconds": round(verdict.tail_age(), 3)},
        "dating": [
            {
                "sentence": w.sentence,
                "block": w.block,
                "entries": list(w.entries),
                "acknowledged": w.acknowledged,
            }
            for w in verdict.dating
        ],
        "missing_triggers": absent,
        "foreign_objects": triggers.foreign(connection),
        "seconds": round(verdict.seconds, 3),
    }
