"""What operations share of which AWS's answer holds a secret, or that send one: it is sealed for one person,
and stands in no parameter.

The parameters name the seal (`sealed_id`), chosen when the change is asked for. What became of the seal tells
whether AWS has taken the call: it is released when AWS has answered, and only then can its person read it.
"""

from __future__ import annotations

import secrets
import string
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID, uuid5

from iam.changes.errors import RefusedError
from iam.mirror.models import Account, AccountFact, valid_at
from iam.sealed import services as sealed
from iam.sealed.models import Secret
from iam.sealed.queries import secret_of
from iam.sealed.services import SealedError

READABLE_FOR: Final = timedelta(hours=24)
"""How long a secret waits for its person."""
WITHHELD: Final = "(sealed)"
"""Stands for a secret in calls that are shown."""
_SEALS: Final = UUID("6f1d1f3e-7d0b-4f6e-9a64-0b3c2f7d8e51")


def seal_id(*, person_id: UUID, key: str) -> UUID:
    """The seal that belongs to a person's form: the same form, sent twice, is the same change."""
    return uuid5(_SEALS, f"{person_id}:{key}")


class SealedFor(Protocol):
    """Parameters that name a seal and its reader."""

    @property
    def sealed_id(self) -> str: ...
    @property
    def recipient_id(self) -> str: ...


def seal_for(
    sealed_for: SealedFor, secret: str, *, account: Account, purpose: str, label: str, is_held: bool = False
) -> None:
    """Seal a secret for the recipient; one that is held waits until AWS has taken it."""
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
    """The seal, if AWS has taken the call that it belongs to."""
    secret = secret_of(UUID(sealed_id))
    return secret if secret is not None and secret.released_at is not None else None


def sealed_text(sealed_id: str, *, purpose: str, gone: str) -> str:
    """The text that somebody has sealed for a worker. Raises RefusedError, with `gone`, when it is not
    there any more."""
    try:
        return sealed.read_text(UUID(sealed_id), purpose=purpose)
    except SealedError as error:
        raise RefusedError(f"{gone} {error.message}") from None


def used(sealed_id: str) -> None:
    """AWS has taken what was sealed for a worker: it is noted so, and destroyed."""
    sealed.release(UUID(sealed_id))
    sealed.destroy(UUID(sealed_id))


def new_password(account: Account) -> str:
    """A password that no policy of AWS refuses: letters of both cases, digits and symbols, as long as the
    account wants, and at least 24."""
    policy = AccountFact.objects.filter(valid_at(None), account=account, name="password_policy").first()
    wanted = policy.value.get("MinimumPasswordLength") if policy and isinstance(policy.value, dict) else None
    length = min(max(24, int(wanted or 0)), 128)
    while True:
        text = "".join(secrets.choice(_SIGNS) for _ in range(length))
        if all(set(text) & set(kind) for kind in _KINDS):
            return text


_KINDS: Final = (string.ascii_uppercase, string.ascii_lowercase, string.digits, "!@#$%^*()_+-=[]{}")
_SIGNS: Final = "".join(set("".join(_KINDS)) - set("0O1lI"))
"""Without those that people mistake for each other."""
