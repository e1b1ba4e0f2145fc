"""Arguments shared by several commands."""

from __future__ import annotations

from typing import Final

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource

NAMED: Final = 5


def add_accounts(parser: CommandParser) -> None:
    """Add account IDs or names as arguments; none means all."""
    parser.add_argument(
        "accounts",
        nargs="*",
        metavar="ACCOUNT",
        help="12-digit ID or exact name of an account; by default all connected accounts",
    )


def connected_accounts(words: list[str]) -> list[Account]:
    """Return the accounts with these IDs or names, or all. Raises CommandError for one that isn’t
    connected.
    """
    connected = Account.objects.filter(removed_at__isnull=True).exclude(source=AccountSource.EXPORT)
    if not words:
        return list(connected.order_by("name", "id"))
    accounts: dict[str, Account] = {}
    for word in words:
        account = _account_named(word, connected, option="ACCOUNT")
        if account is None:
            hint = f" Connect it with `manage.py connect {word}`." if word.isdecimal() else _known(connected)
            raise CommandError(f"{word[:80]} isn’t connected.{hint}")
        accounts[account.account_id] = account
    return list(accounts.values())


def account_given(word: str, *, option: str = "--account") -> Account:
    """Return the account with this ID or exact name. Raises CommandError if none is connected."""
    connected = Account.objects.filter(removed_at__isnull=True)
    account = _account_named(word, connected, option=option)
    if account is None:
        raise CommandError(f"{option} {word[:80]}: this account isn’t connected.{_known(connected)}")
    return account


def _account_named(word: str, connected: QuerySet[Account], *, option: str) -> Account | None:
    """Return the account with this ID, else with this name. Raises CommandError if several have the name."""
    by_id = connected.filter(account_id=word.replace("-", "")).first()
    if by_id is not None:
        return by_id
    named = list(connected.filter(name=word).order_by("account_id"))
    if len(named) > 1:
        numbers = ", ".join(account.account_id for account in named)
        raise CommandError(f"{option} {word[:80]}: several accounts have this name. Use an ID: {numbers}.")
    return named[0] if named else None


def _known(connected: QuerySet[Account]) -> str:
    """Return a sentence with the first connected accounts."""
    rows = connected.order_by("name", "account_id").values_list("account_id", "name")
    accounts = [f"{number} ({name})" for number, name in rows[: NAMED + 1]]
    if len(accounts) > NAMED:
        accounts[NAMED:] = ["…"]
    return f" Connected: {', '.join(accounts) or 'none'}."
