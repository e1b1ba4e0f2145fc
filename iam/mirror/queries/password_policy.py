"""The password policy of an account, as the mirror has it."""

from __future__ import annotations

from typing import Final

from iam.aws.records import PasswordPolicyRecord
from iam.mirror.models import Account, AccountFact, valid_at

NAME: Final = "password_policy"


def password_policy(account: Account) -> PasswordPolicyRecord | None:
    """Return the account's own password policy; None if AWS's default one applies or none was synced yet."""
    fact = _fact(account)
    return PasswordPolicyRecord(**fact.value) if fact is not None and fact.value else None


def is_password_policy_known(account: Account) -> bool:
    """True if the password policy was synced, whether or not the account has one of its own."""
    return _fact(account) is not None


def _fact(account: Account) -> AccountFact | None:
    return AccountFact.objects.filter(valid_at(None), account=account, name=NAME).first()
