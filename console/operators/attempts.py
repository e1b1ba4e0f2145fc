"""Failed attempts to sign in: counted, locked, and written into the journal."""

from __future__ import annotations

from datetime import datetime

from allauth.account.adapter import get_adapter
from django.http import HttpRequest

from console.operators import locks
from console.operators.models import Operator
from iam.journal.services import NOT_SIGNED_IN, record


def client_address(request: HttpRequest) -> str:
    """The address of the client, as far as our own proxies vouch for it."""
    address: str = get_adapter().get_client_ip(request)
    return address


# Set on a request whose attempt is the last one before a lock: of the key, and of the address.
_CLOSES = "_gatehouse_closes"
CAUSES = {
    "unknown": "No one has this username or email address.",
    "wrong_password": "The password was wrong.",
    "wrong_code": "The code was wrong, too old, or used before.",
    "wrong_passkey": "The passkey didn’t match, or the attempt was too old.",
    "unknown_passkey": "The passkey isn’t registered, or was removed.",
    "locked": "Sign-in was locked after too many attempts.",
}


def refused(*, operator: Operator | None, method: str, reason: str) -> None:
    """Record that somebody was not let in, and why."""
    subject = operator.email if operator else ""
    record(
        kind="sign_in.failed",
        actor=NOT_SIGNED_IN,
        subject=subject,
        data={"method": method, "reason": reason, "cause": CAUSES[reason]},
    )


def begin(request: HttpRequest, *, key: str, operator: Operator | None, method: str) -> datetime | None:
    """Count an attempt on the key and on the address, before anything is compared; the end of the lock when
    it is refused.
    """
    own = locks.count_attempt(key)
    if own.until:
        refused(operator=operator, method=method, reason="locked")
        return own.until
    address = locks.count_attempt(locks.address_key(client_address(request)))
    if address.until:
        locks.refund(key)
        refused(operator=operator, method=method, reason="locked")
        return address.until
    setattr(request, _CLOSES, (own.closes, address.closes))
    return None


def failed(request: HttpRequest, *, key: str, operator: Operator | None, method: str) -> datetime | None:
    """Record that the attempt was wrong; the end of the lock when it was one too many.

    The journal names the operator when there is one; what an unknown person typed is not kept: it may be a
    password.
    """
    reason = f"wrong_{method}" if operator else "unknown"
    refused(operator=operator, method=method, reason=reason)
    subject = operator.email if operator else ""
    address = locks.address_key(client_address(request))
    closes_own, closes_address = getattr(request, _CLOSES, (False, False))
    if closes_own:
        data = {"method": method, "until": locks.locked_until(key)}
        record(kind="sign_in.locked", actor=None, subject=subject, data=data)
    if closes_address:
        data = {"method": "address", "until": locks.locked_until(address)}
        record(kind="sign_in.locked", actor=None, data=data)
    return locks.locked_until(key, address)


def succeeded(request: HttpRequest, *, key: str) -> None:
    """The attempt was right: it counts nowhere, and earlier failures on the key are forgotten."""
    locks.forget(key)
    locks.refund(locks.address_key(client_address(request)))
