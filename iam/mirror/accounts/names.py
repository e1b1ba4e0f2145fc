"""One name, one account: receipts, approvals and lists name accounts by what people call them."""

from __future__ import annotations

from iam.mirror.accounts.validation import SetupError, checked_name
from iam.mirror.models.accounts import Account


def checked_own_name(text: str, *, account_id: str, default: str = "") -> str:
    """A name that no other connected account has. Raises SetupError that names the other one."""
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
    """The names of all connected accounts, in lower case."""
    names = Account.objects.filter(removed_at__isnull=True).values_list("name", flat=True)
    return {name.lower() for name in names}


def free_name(name: str, *, account_id: str, taken: set[str]) -> str:
    """The name that AWS has for an account, with its number where another account is called so; it is taken
    from now on.
    """
    free = f"{name} {account_id}" if name.lower() in taken else name
    taken.add(free.lower())
    return free
