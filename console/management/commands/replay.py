"""`manage.py replay PRINCIPAL`: which recorded calls would have another result after a change."""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from iam.access.principals import PrincipalError, find_principal
from iam.access.replay import ReplayedCalls, ReplayError, ReplayReport, ReplayRequest, replay_calls
from iam.activity.queries import extent
from iam.policy.document import read
from iam.policy.lint.kinds import LintKind
from iam.policy.lint.run import lint
from iam.policy.replay import ReplayOutcome

INCOMPLETE: Final = frozenset(
    {
        "MISSING_EFFECT",
        "MISSING_ACTION",
        "MISSING_RESOURCE",
        "EMPTY_ARRAY_ACTION",
        "EMPTY_ARRAY_RESOURCE",
        "UNSUPPORTED_PRINCIPAL",
        "UNSUPPORTED_ELEMENT_COMBINATION",
    }
)
"""Lint errors of a text that isn’t an identity policy, which AWS would reject."""


class Command(BaseCommand):
    """Reads the mirror and CloudTrail events; never calls AWS and writes nothing."""

    help = (
        "Replay what a user or role did against changed policies: which calls would be denied or allowed "
        "then, and which can’t be decided."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the principal, the change, and the period."""
        parser.add_argument("principal", metavar="PRINCIPAL", help="ARN or name of a user or role")
        change = parser.add_mutually_exclusive_group(required=True)
        change.add_argument("--without", metavar="POLICY_ARN", default="", help="drop this managed policy")
        change.add_argument(
            "--with", dest="file", metavar="FILE", help="add the identity policy in this file"
        )
        parser.add_argument("--days", type=int, default=90, help="calls of the last N days (90)")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the calls whose result changes."""
        if options["days"] < 1:
            raise CommandError("--days: Enter a number of days, 1 or more.")
        try:
            who = find_principal(options["principal"], accounts=None, at=None)
            asked = ReplayRequest(
                who,
                since=timezone.now() - timedelta(days=options["days"]),
                without=options["without"],
                added=_policy_in(options["file"]),
            )
            report = replay_calls(asked)
        except (PrincipalError, ReplayError) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(report, who.arn, options["days"]), indent=2))
            return
        self.stdout.write(_sentence(report, options["days"]))
        if not report.calls:
            self.stdout.write(_known(who.account))
        for each in report.changed:
            self.stdout.write(f"  {each.calls:>7,} × {_words(each)}")


def _policy_in(path: str | None) -> str:
    """Return the policy text in a file. Raises CommandError for a file without one."""
    if path is None:
        return ""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--with: {path} can’t be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"--with: {path} can’t be read: it isn’t text in UTF-8.") from None
    document = read(text)
    problems = [*document.problems, *chain.from_iterable(each.problems for each in document.statements)]
    if problems or not document.statements:
        why = str(problems[0]) if problems else "it has no statement"
        raise CommandError(f"--with: {path} isn’t a valid policy: {why}")
    for finding in lint(text, kind=LintKind.IDENTITY, quota=None):
        if finding.code in INCOMPLETE:
            message = f"{path} isn’t a valid identity policy: {finding.message} (line {finding.line})"
            raise CommandError(f"--with: {message}")
    return text


def _words(each: ReplayedCalls) -> str:
    """Return some calls and their new results, as text."""
    answer = f"would be {each.outcome}"
    if each.outcome is ReplayOutcome.UNDECIDED:
        answer = "can’t be decided"
    return f"{each.action} on {each.resource or 'a resource that is not recorded'}: {answer}"


def _sentence(report: ReplayReport, days: int) -> str:
    denied, allowed = report.count(ReplayOutcome.DENIED), report.count(ReplayOutcome.ALLOWED)
    undecided = report.count(ReplayOutcome.UNDECIDED)
    if not report.calls:
        return f"No call of the last {days} days is recorded."
    calls = "1 call" if report.calls == 1 else f"{report.calls:,} calls"
    sentence = f"Of {calls} in {days} days, {f'{denied:,}' if denied else 'none'} would be denied"
    sentence += f" and {allowed:,} allowed that were denied." if allowed else "."
    if undecided:
        sentence += f" {undecided:,} can’t be decided, since events don’t tell enough."
    if report.denied_already:
        sentence += f" Today’s policies deny {report.denied_already:,} of them already."
    return sentence


def _known(account: str) -> str:
    """Return the period that the answer covers."""
    period = extent(account)
    if period is None:
        return f"No CloudTrail events of {account} are known, so what would be denied is unknown."
    return f"Events of {account} are known from {period.first_at:%Y-%m-%d} to {period.last_at:%Y-%m-%d}."


def _as_json(report: ReplayReport, arn: str, days: int) -> dict[str, Any]:
    return {
        "principal": arn,
        "days": days,
        "calls": report.calls,
        "same": report.same,
        "denied": report.count(ReplayOutcome.DENIED),
        "allowed": report.count(ReplayOutcome.ALLOWED),
        "undecided": report.count(ReplayOutcome.UNDECIDED),
        "denied_already": report.denied_already,
        "changed": [_call(each) for each in report.changed],
    }


def _call(each: ReplayedCalls) -> dict[str, Any]:
    return {
        "outcome": str(each.outcome),
        "action": each.action,
        "resource": each.resource,
        "was_denied": each.was_denied,
        "region": each.region,
        "calls": each.calls,
        "first": each.first_at.isoformat(),
        "last": each.last_at.isoformat(),
    }
