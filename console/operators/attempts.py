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
    record(
        kind="sign_in.failed",
        actor=NOT_SIGNED_IN,
        subject=operator.email if operator else "",
        data={"method": method, "reason": reason, "cause": CAUSES[reason]},
    )


def failed(request: HttpRequest, *, key: str, operator: Operator | None, method: str) -> datetime | None:
    """Count a failure on the key and on the address; the end of the lock when it was one too many.

    The journal names the operator when there is one; what an unknown person typed is not kept: it may be a password.
    """
    subject = operator.email if operator else ""
    refused(operator=operator, method=method, reason=f"wrong_{method}" if operator else "unknown")
    until = locks.count_failure(key)
    if until:
        record(kind="sign_in.locked", actor=None, subject=subject, data={"method": method, "until": until})
    address_until = locks.count_failure(locks.address_key(client_address(request)))
    if address_until:
        record(kind="sign_in.locked", actor=None, data={"method": "address", "until": address_until})
    return max(filter(None, (until, address_until)), default=None)
