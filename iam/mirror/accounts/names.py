"""Keeps account names unique, because receipts, approvals and lists identify accounts by name."""

from __future__ import annotations

from iam.mirror.accounts.validation import SetupError, checked_name
from iam.mirror.models.accounts import Account


def checked_own_name(text: str, *, account_id: str, default: str = "") -> str:
    """Return a validated name that no other connected account has. Raises SetupError that names the other
    account.
    """
    name = checked_name(text, default=default)
    other = (
        Account.objects.filter(name__iexact=name, removed_at__isnull=True)
        .exclude(account_id=account_id)
        .first()
    )
    if other:
        raise SetupError(
            f"Account {other.display_id} is called {other.name} already. Choose another name.", field="name"
        )
    return name


def taken_names() -> set[str]:
    """Return the names of all connected accounts, in lower case."""
    names = Account.objects.filter(removed_at__isnull=True).values_list("name", flat=True)
    return {name.lower() for name in names}


def free_name(name: str, *, account_id: str, taken: set[str]) -> str:
    """Return the account's name in AWS, with its ID appended if the name is taken, and add it to `taken`."""
    free = f"{name} {account_id}" if name.lower() in taken else name
    taken.add(free.lower())
    return free
