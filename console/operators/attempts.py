"""Counts failed sign-in attempts, locks sign-ins, and records both in the journal."""

from __future__ import annotations

from datetime import datetime

from allauth.account.adapter import get_adapter
from django.http import HttpRequest

from console.operators import locks
from console.operators.models import Operator
from iam.journal.services import NOT_SIGNED_IN, record


def client_address(request: HttpRequest) -> str:
    """Return the client's address, as far as our own proxies vouch for it."""
    address: str = get_adapter().get_client_ip(request)
    return address


# Set on a request whose attempt is the last one before a lock of the key or of the address.
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
    """Record that a sign-in was refused, and why."""
    subject = operator.email if operator else ""
    record(
        kind="sign_in.failed",
        actor=NOT_SIGNED_IN,
        subject=subject,
        data={"method": method, "reason": reason, "cause": CAUSES[reason]},
    )


def begin(request: HttpRequest, *, key: str, operator: Operator | None, method: str) -> datetime | None:
    """Count an attempt on the key and the address before anything is compared.

    Returns the end of the lock if the attempt is refused, else None.
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
    """Record a wrong attempt; return the end of the lock if it exceeded the limit, else None.

    The journal names known operators only: an unknown name may be a password.
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
    """Take back the count of a right attempt, and forget earlier failures of the key."""
    locks.forget(key)
    locks.refund(locks.address_key(client_address(request)))
