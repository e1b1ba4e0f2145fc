"""`manage.py connect ACCOUNT_ID`: connect an account, or all accounts of an organization, and check it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.management.commands.doctor import examined, print_examination
from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts.connect import AccountConnection, connect_account
from iam.mirror.accounts.connect_discovered import RolePlan, connect_discovered
from iam.mirror.accounts.discover import WorkerIdentity, discover, find_identity
from iam.mirror.accounts.validation import SetupError, checked_number, parsed_role
from iam.mirror.doctor.checks import StoredExamination
from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource


class Command(BaseCommand):
    """Connects by a role, by the environment's own credentials, or all accounts of an organization."""

    help = (
        "Connect an AWS account, or all accounts of an organization, and check the permissions of the roles."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the three ways to connect, which exclude each other."""
        parser.add_argument("account_id", metavar="ACCOUNT_ID", help="12-digit account ID")
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument(
            "--from-environment", action="store_true", help="with the credentials of this process"
        )
        way.add_argument("--role", metavar="ARN", help="by this role of the account")
        way.add_argument(
            "--discover",
            metavar="ORG_ROLE_NAME",
            help="all accounts of this account’s organization, by this role",
        )
        parser.add_argument("--external-id", default="", help="as required by the trust policy of the role")
        parser.add_argument("--write-role", default="", metavar="ARN", help="the role for changes")
        parser.add_argument("--name", default="", help="display name of the account")

    def handle(self, *args: Any, **options: Any) -> None:
        """Connect. Exit code 0: connected, nothing missing. 1: connected, something is missing. 2: not
        connected.
        """
        try:
            number = checked_number(options["account_id"])
            if options["discover"]:
                self._organization(number, options)
            else:
                self._account(number, options)
        except SetupError as error:
            raise CommandError(error.message, returncode=2) from error

    def _account(self, number: str, options: dict[str, Any]) -> None:
        given_options = _AccountOptions(number, options)
        connection = (
            given_options.by_environment() if options["from_environment"] else given_options.by_role()
        )
        account = connect_account(connection, actor=COMMAND_LINE, due_at=datetime.now(tz=UTC))
        self.stdout.write(f"{account.name} {number} is connected by {account.get_source_display().lower()}.")
        run = examined(account)
        print_examination(self, run)
        findings = StoredExamination(tuple(run.checks))
        if findings.is_reachable:
            command = f"manage.py pull {number}"  # wording: keep
            self.stdout.write(f"It is synced within a minute. To sync it now, run `{command}`.")
        if findings.failed_checks:
            sys.exit(1)

    def _organization(self, number: str, options: dict[str, Any]) -> None:
        known = Account.objects.filter(account_id=number, removed_at__isnull=True).exclude(
            source=AccountSource.EXPORT
        )
        discovery = discover(known.first())
        if number not in {discovery.management_account_id, discovery.identity.account_id}:
            raise SetupError(
                f"The credentials belong to account {discovery.identity.account_id}, whose organization is "
                "managed by "
                f"{discovery.management_account_id}, not by {number}."
            )
        plan = RolePlan(options["discover"], external_id=options["external_id"])
        outcome = connect_discovered(discovery.as_result(), chosen=None, plan=plan, actor=COMMAND_LINE)
        for account in outcome.connected:
            self.stdout.write(
                f"{account.account_id} {account.name}: connected, {account.get_source_display().lower()}"
            )
        for left, reason in outcome.left_out:
            self.stdout.write(f"{left}: not connected, {reason}")
        self.stdout.write(
            f"{len(outcome.connected)} of {len(discovery.accounts)} accounts of {discovery.organization_id} "
            "were connected. "
            "Check them with `manage.py doctor`."
        )


@dataclass(frozen=True, slots=True)
class _AccountOptions:
    """The options for a single account."""

    number: str
    options: dict[str, Any]

    def by_role(self) -> AccountConnection:
        """Connect by a role, in the partition of its ARN."""
        source = AccountSource.ROLE if self.options["external_id"] else AccountSource.ORGANIZATION
        return AccountConnection(
            account_id=self.number,
            name=self.options["name"],
            source=source,
            partition=parsed_role(self.options["role"]).partition,
            role_arn=self.options["role"],
            write_role_arn=self.options["write_role"],
            external_id=self.options["external_id"],
        )

    def by_environment(self) -> AccountConnection:
        """Connect by the credentials of this process, which must belong to the account."""
        identity: WorkerIdentity = find_identity()
        if identity.account_id != self.number:
            raise SetupError(
                f"The credentials of this process belong to account {identity.account_id}, not to "
                f"{self.number}."
            )
        return AccountConnection(
            self.number, self.options["name"], AccountSource.ENVIRONMENT, partition=identity.partition
        )
