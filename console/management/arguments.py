"""Arguments that several commands take."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser

from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource


def add_accounts(parser: CommandParser) -> None:
    """Accounts by number; none for all."""
    parser.add_argument(
        "accounts",
        nargs="*",
        metavar="ACCOUNT",
        help="12-digit account ID; by default all connected accounts",
    )


def connected_accounts(numbers: list[str]) -> list[Account]:
    """The accounts of these numbers, or all. Raises CommandError for one that is not connected."""
    connected = Account.objects.filter(removed_at__isnull=True).exclude(source=AccountSource.EXPORT)
    if not numbers:
        return list(connected.order_by("name", "id"))
    accounts_by_id = {account.account_id: account for account in connected.filter(account_id__in=numbers)}
    for number in numbers:
        if number not in accounts_by_id:
            raise CommandError(f"{number} isn’t connected. Connect it with `manage.py connect {number}`.")
    return [accounts_by_id[number] for number in dict.fromkeys(numbers)]
