"""`manage.py framework`: the state of each requirement of a framework."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.access.options import moment_given
from iam.audit.findings.report import bring_up_to_date
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.models import ComplianceScope
from iam.audit.frameworks.results import results_of
from iam.audit.frameworks.stored_parts import row_of
from iam.mirror.queries.accounts import connected_accounts


class Command(BaseCommand):
    """Reads the mirror and judges what is due; never calls AWS. The exit code is 0 even if requirements
    fail.
    """

    help = "Show the state of each requirement of a framework, with findings and facts."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the framework, the scope, the moment, and the output format."""
        parser.add_argument("name", help=f"one of: {', '.join(all_frameworks())}")
        parser.add_argument("--scope", default="", help="the name of a scope; without it, everything")
        parser.add_argument("--as-of", default="", help="a past time, such as 2026-11-24T14:05 (UTC)")
        parser.add_argument("--json", action="store_true", help="print a JSON list")

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge and print the requirements."""
        framework = all_frameworks().get(options["name"])
        if framework is None:
            names = ", ".join(all_frameworks())
            raise CommandError(f"“{options['name'][:80]}” isn’t a framework. Choose one of: {names}.")
        at, scope = moment_given(options["as_of"]), _scope(options["scope"])
        if at is None:
            bring_up_to_date(connected_accounts())
        moment = at or datetime.now(tz=UTC)
        results = results_of(framework, scope, at=at, now=moment)
        if options["json"]:
            rows = [row_of(result, as_of=moment.isoformat()) for result in results.values()]
            self.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False, default=str))
            return
        for result in results.values():
            self.stdout.write(f"{result.number:<10} {result.state:<15} {result.reason}")
        counts = Counter(result.state for result in results.values())
        words = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
        self.stdout.write(f"{framework.title}, {len(results)} requirements: {words}.")


def _scope(name: str) -> ComplianceScope | None:
    if not name:
        return None
    scope = ComplianceScope.objects.filter(slug=name).first()
    scope = scope or ComplianceScope.objects.filter(name__iexact=name).first()
    if scope is None:
        names = ", ".join(ComplianceScope.objects.order_by("slug").values_list("slug", flat=True)) or "none"
        raise CommandError(f"--scope {name[:80]}: this isn’t the name of a scope. Scopes: {names}.")
    return scope
