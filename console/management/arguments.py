"""Arguments shared by several commands."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser

from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource


def add_accounts(parser: CommandParser) -> None:
    """Add account IDs as arguments; none means all."""
    parser.add_argument(
        "accounts",
        nargs="*",
        metavar="ACCOUNT",
        help="12-digit account ID; by default all connected accounts",
    )


def connected_accounts(numbers: list[str]) -> list[Account]:
    """Return the accounts with these IDs, or all. Raises CommandError for one that isn’t connected."""
    connected = Account.objects.filter(removed_at__isnull=True).exclude(source=AccountSource.EXPORT)
    if not numbers:
        return list(connected.order_by("name", "id"))
    accounts_by_id = {account.account_id: account for account in connected.filter(account_id__in=numbers)}
    for number in numbers:
        if number not in accounts_by_id:
            raise CommandError(f"{number} isn’t connected. Connect it with `manage.py connect {number}`.")
    return [accounts_by_id[number] for number in dict.fromkeys(numbers)]
