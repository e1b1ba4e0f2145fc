"""`manage.py who_can ACTION RESOURCE`: who can do an action on a resource, according to the mirror."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.access.forms.resource import resource_problem
from console.access.options import circumstances_given, moment_given, owner_given
from console.access.who_can_export import question_facts, values_of
from console.management.arguments import account_given
from iam.access.actions import LEVELS, ActionSelection, ActionsError, select_actions
from iam.access.who_can import WhoCanPage, WhoCanQuestion, every_row, who_can
from iam.policy.evaluate import EvaluationDecision

HEADS = ("decision", "account", "kind", "name", "by")


class Command(BaseCommand):
    """Prints a table or JSON. The exit code is 0 even if no one can."""

    help = "Show who can do an action on a resource, and through which policies."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the question and the output format."""
        parser.add_argument("action", metavar="ACTION", help="s3:GetObject, s3:Get*, or a service: s3")
        parser.add_argument("resource", metavar="RESOURCE", help="an ARN (wildcards are allowed), or *")
        parser.add_argument("--level", default="", help=f"only actions of this level: {', '.join(LEVELS)}")
        parser.add_argument(
            "--account",
            default="",
            help="only principals of the account with this ID or exact name",
        )
        parser.add_argument("--owner", default="", help="the account ID of the resource, if its ARN has none")
        parser.add_argument("--as-of", default="", help="a past time, such as 2026-11-24T14:05 (UTC)")
        parser.add_argument(
            "--context", action="append", default=[], metavar="KEY=VALUE",
            help="a condition key of the request; can be repeated",
        )  # fmt: skip
        parser.add_argument("--strict", action="store_true", help="treat unspecified keys as absent")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer the question and print it."""
        if options["account"]:
            options["account"] = account_given(options["account"]).account_id
        asked = _asked(options)
        if asked.selection.warning:
            self.stderr.write(f"Warning: {asked.selection.warning}")
        if options["json"]:
            self._print_json(asked, options["account"])
        else:
            self._print_table(asked)

    def _print_json(self, asked: WhoCanQuestion, account: str) -> None:
        answer = who_can(asked, size=1)
        body = question_facts(asked, account, datetime.now(tz=UTC)) | {
            "counts": {str(decision): count for decision, count in answer.counts.items()},
            "limitations": [limitation.text for limitation in answer.limitations],
            "warning": asked.selection.warning or None,
            "rows": [values_of(row) for row in every_row(asked)],
        }
        self.stdout.write(json.dumps(body, indent=2, ensure_ascii=False))

    def _print_table(self, asked: WhoCanQuestion) -> None:
        lines = list(_lines(asked))
        if lines:
            lines.insert(0, HEADS)
            columns = list(zip(*lines, strict=True))
            widths = [max(map(len, column)) for column in columns]
            for line in lines:
                cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
                self.stdout.write("  ".join(cells).rstrip())
        answer = who_can(asked, size=1)
        self.stdout.write(_summary(answer, asked))
        for limitation in answer.limitations:
            accounts = ", ".join(limitation.accounts)
            self.stdout.write(f"Note: {limitation.text} {accounts}".rstrip())


def _asked(options: dict[str, Any]) -> WhoCanQuestion:
    meaning = _selected_actions(options)
    if problem := resource_problem(options["resource"]):
        raise CommandError(f"RESOURCE {options['resource'][:80]}: {problem}")
    circumstances = circumstances_given(options["context"], action=options["action"])
    owner = owner_given(options["owner"], resource=options["resource"], option="--owner")
    accounts = frozenset({options["account"]}) if options["account"] else None
    return WhoCanQuestion(
        meaning,
        options["resource"],
        context=circumstances.context,
        strict=options["strict"],
        owner=owner,
        accounts=accounts,
        at=moment_given(options["as_of"]),
    )


def _selected_actions(options: dict[str, Any]) -> ActionSelection:
    try:
        return select_actions(options["action"], level=options["level"], resource=options["resource"])
    except ActionsError as error:
        raise CommandError(f"ACTION {options['action'][:80]}: {error}") from error


def _lines(asked: WhoCanQuestion) -> Iterator[tuple[str, ...]]:
    total = len(asked.selection.actions)
    for row in every_row(asked):
        values = values_of(row)
        reason = "; ".join(values["conditions"] or values["policies"])
        if total > 1:
            reason = f"{row.can + row.may} of {total} actions: {reason}"
        yield (values["decision"], row.account, values["kind"], row.name, reason)


def _summary(answer: WhoCanPage, asked: WhoCanQuestion) -> str:
    allowed, maybe = answer.counts[EvaluationDecision.ALLOWED], answer.counts[EvaluationDecision.CONDITIONAL]
    many = f", {maybe} more conditionally" if maybe else ""
    return f"{allowed} of {answer.asked} principals can{many}: {asked.selection.words} on {asked.resource}."
