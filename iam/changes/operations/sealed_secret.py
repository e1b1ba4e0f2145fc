"""Shared parts of operations that receive a secret from AWS or send one. The secret is sealed, for one person
or for the worker, and is not in any parameter.

The parameters have the ID of the seal (`sealed_id`), which is chosen when the change is requested. The seal
tells whether AWS has accepted the call: it is released after AWS has answered, and only then can the
recipient read it.
"""

from __future__ import annotations

import secrets
import string
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID, uuid5

from iam.changes.errors import RefusedError
from iam.mirror.models import Account
from iam.mirror.queries.password_policy import password_policy
from iam.sealed import services as sealed
from iam.sealed.models import Secret
from iam.sealed.queries import secret_of
from iam.sealed.services import SealedError

READABLE_FOR: Final = timedelta(hours=24)
"""How long the recipient can read a secret."""
WITHHELD: Final = "(hidden)"
"""Replaces a secret in calls that are shown."""
_SEALS: Final = UUID("6f1d1f3e-7d0b-4f6e-9a64-0b3c2f7d8e51")


def seal_id(*, person_id: UUID, key: str) -> UUID:
    """The seal of a person's form. A form that is submitted twice has the same seal, and so is the same
    change.
    """
    return uuid5(_SEALS, f"{person_id}:{key}")


class SealedFor(Protocol):
    """Parameters with a seal and its recipient."""

    @property
    def sealed_id(self) -> str: ...
    @property
    def recipient_id(self) -> str: ...


def seal_for(
    sealed_for: SealedFor, secret: str, *, account: Account, purpose: str, label: str, is_held: bool = False
) -> None:
    """Seal a secret for the recipient. A held secret can't be read until AWS has accepted it."""
    sealed.seal(
        secret,
        for_person=UUID(sealed_for.recipient_id),
        purpose=purpose,
        label=label,
        account_id=account.account_id,
        ttl=READABLE_FOR,
        secret_id=UUID(sealed_for.sealed_id),
        is_held=is_held,
    )


def accepted(sealed_id: str) -> Secret | None:
    """The seal, if AWS has accepted the call that it belongs to, else None."""
    secret = secret_of(UUID(sealed_id))
    return secret if secret is not None and secret.released_at is not None else None


def sealed_text(sealed_id: str, *, purpose: str, gone: str) -> str:
    """Read a text that was sealed for the worker. Raises RefusedError, with `gone`, if it no longer
    exists.
    """
    try:
        return sealed.read_text(UUID(sealed_id), purpose=purpose)
    except SealedError as error:
        raise RefusedError(f"{gone} {error.message}") from None


def used(sealed_id: str) -> None:
    """Mark a text that was sealed for the worker as accepted by AWS, and destroy it."""
    sealed.release(UUID(sealed_id))
    sealed.destroy(UUID(sealed_id))


def new_password(account: Account) -> str:
    """Generate a password that every password policy of AWS accepts: upper-case and lower-case letters,
    digits and symbols. It has 24 characters, or as many (AWS allows 128) as the account’s password policy
    requires.
    """
    policy = password_policy(account)
    required = policy.minimum_length if policy else 0
    length = max(24, required)
    while True:
        text = "".join(secrets.choice(_SIGNS) for _ in range(length))
        if all(set(text) & set(kind) for kind in _KINDS):
            return text


_KINDS: Final = (string.ascii_uppercase, string.ascii_lowercase, string.digits, "!@#$%^*()_+-=[]{}")
_SIGNS: Final = "".join(set("".join(_KINDS)) - set("0O1lI"))
"""Without characters that people confuse."""
