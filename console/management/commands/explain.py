"""`manage.py explain`: whether a principal can do an action on a resource, with every reason."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.access.forms.resource import resource_problem
from console.access.options import circumstances_given, moment_given, owner_given
from console.access.verdict_text import json_of, text_of
from iam.access.actions import ActionsError, select_actions
from iam.access.principals import PrincipalError, find_principal
from iam.access.simulate import SimulationInquiry, simulate


class Command(BaseCommand):
    """Reads the mirror; never calls AWS and writes nothing."""

    help = "Explain whether a principal can do an action on a resource, down to each statement and condition."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "principal", metavar="PRINCIPAL", help="ARN of a user, role, session or root user; or a name"
        )
        parser.add_argument("action", metavar="ACTION", help="one action, such as s3:GetObject")
        parser.add_argument("resource", metavar="RESOURCE", help="an ARN, or *")
        parser.add_argument(
            "--context",
            metavar="KEY=VALUE",
            action="append",
            default=[],
            help="a condition key of the request; repeat a key to give it several values, leave the value "
            "empty to make it absent",
        )
        parser.add_argument(
            "--strict", action="store_true", help="treat keys that --context doesn’t set as absent"
        )
        parser.add_argument(
            "--as-of", metavar="TIME", default="", help="a past time, such as 2026-11-24T14:05 (UTC)"
        )
        parser.add_argument(
            "--resource-account",
            metavar="ACCOUNT",
            default="",
            help="the account ID of the resource, if its ARN has none",
        )
        parser.add_argument("--json", action="store_true", help="print the whole tree as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        inquiry = self._inquiry(options)
        verdict = simulate(inquiry)
        if verdict is None:
            raise CommandError(f"{inquiry.who.arn} wasn’t in the account at that moment.")
        if options["json"]:
            self.stdout.write(json.dumps(json_of(inquiry, verdict), indent=2, ensure_ascii=False))
            return
        self.stdout.write("\n".join(text_of(inquiry, verdict)))

    def _inquiry(self, options: dict[str, Any]) -> SimulationInquiry:
        at = moment_given(options["as_of"])
        if problem := resource_problem(options["resource"]):
            raise CommandError(f"RESOURCE: {problem}")
        owner = owner_given(
            options["resource_account"], resource=options["resource"], option="--resource-account"
        )
        action = self._action(options["action"], options["resource"])
        circumstances = circumstances_given(options["context"], action=action)
        self._warn(doubt.text for doubt in circumstances.doubts)
        try:
            who = find_principal(options["principal"], accounts=None, at=at)
        except PrincipalError as error:
            raise CommandError(f"PRINCIPAL: {error}") from None
        return SimulationInquiry(
            who,
            action,
            options["resource"],
            at=at,
            context=circumstances.context,
            strict=options["strict"],
            owner=owner,
        )

    def _action(self, text: str, resource: str) -> str:
        try:
            meaning = select_actions(text, resource=resource)
        except ActionsError as error:
            raise CommandError(f"ACTION: {error}") from None
        if not meaning.is_one:
            raise CommandError("ACTION: Enter one full action name, such as s3:GetObject.")
        warnings = [meaning.warning] if meaning.warning else []
        self._warn(warnings)
        return meaning.actions[0]

    def _warn(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.stderr.write(f"Warning: {text}")
