"""`manage.py bootstrap`: create the first administrator, approvers, and links to choose a password."""

from __future__ import annotations

import argparse
from email.utils import parseaddr
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.operators.models import Operator
from console.operators.services import add_operator, hand_out_link
from iam.directory.models import Person, Role
from iam.directory.rules import DirectoryRuleError
from iam.directory.services import assign_role
from iam.journal.services import COMMAND_LINE


class Command(BaseCommand):
    """Creates what is missing; can be repeated, and prints a new link for everyone without a password."""

    help = "Appoint the first operators and print a link for each to choose a password."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--admin",
            metavar="PERSON",
            action="append",
            default=[],
            help='an administrator of all accounts: an email address, or "Name <email address>"',
        )
        parser.add_argument(
            "--approver",
            metavar="PERSON",
            action="append",
            default=[],
            help="an approver of all accounts, in the same form",
        )
        parser.add_argument(
            "--link",
            metavar="EMAIL",
            action="append",
            default=[],
            help="print a password link for someone who was added on the Operators page",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = [(text, Role.ADMINISTRATOR) for text in options["admin"]]
        wanted += [(text, Role.APPROVER) for text in options["approver"]]
        if not wanted and not options["link"]:
            raise CommandError('Give at least one email address: --admin "Name <email address>".')
        try:
            for text, role in wanted:
                self._appoint(text, role)
            for email in options["link"]:
                self._tell_link(email.strip())
        except DirectoryRuleError as error:
            raise CommandError(str(error)) from None

    def _appoint(self, text: str, role: Role) -> None:
        name, address = parseaddr(text)
        email = (address or text).strip().lower()
        person = Person.objects.filter(email__iexact=email).select_related("operator").first()
        operator = (
            person.operator
            if person and hasattr(person, "operator")
            # A name is never derived from an address: without a name, the address itself is shown.
            else add_operator(name=name or email, email=email, actor=COMMAND_LINE)
        )
        assert operator.person is not None
        assign_role(operator.person, role, actor=COMMAND_LINE)
        self.stdout.write(f"{email}: {role.label.lower()}")
        if not operator.has_usable_password():
            self._write_link(operator)

    def _tell_link(self, email: str) -> None:
        operator = Operator.objects.select_related("person").filter(person__email__iexact=email).first()
        if operator is None:
            raise CommandError(
                f"No one with the email address {email} can sign in here. Add them on the Operators page "
                "first."
            )
        self.stdout.write(operator.email)
        self._write_link(operator)

    def _write_link(self, operator: Operator) -> None:
        self.stdout.write(f"  choose a password at {hand_out_link(operator, actor=COMMAND_LINE)}")
