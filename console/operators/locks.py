"""Locks a sign-in for a while after too many failures; counts are in the database and apply to all web
processes.

A lock is on an operator or on an unknown name, and both look the same. It stops only passwords and codes, so
a stranger can’t lock out people with a passkey or single sign-on.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from console.operators.models import Operator, SignInLock
from console.web.moments import time_text

# Higher, because many people can share an address.
ADDRESS_FACTOR = 10
KEEP = timedelta(days=2)


def login_key(login: str) -> str:
    """Return the key of an entered name, hashed because people sometimes type passwords there."""
    digest = salted_hmac("gatehouse.sign-in.lock", login.strip().casefold(), algorithm="sha256").hexdigest()
    return f"login:{digest[:64]}"


def operator_key(operator: Operator) -> str:
    """Return the key of an operator's password, independent of the name used."""
    return f"operator:{operator.pk}"


def code_key(operator: Operator) -> str:
    """Return the key of an operator's second factor."""
    return f"code:{operator.pk}"


def address_key(ip: str) -> str:
    """Return the key of a network address; for IPv6 of its /64 network, since a host usually has all
    addresses of one.
    """
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        address = (
            address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False).network_address
        )
    return f"ip:{address}"


def locked_until(*keys: str) -> datetime | None:
    """Return the end of the longest lock on any of the keys; None if none is locked."""
    ends = SignInLock.objects.filter(key__in=keys, locked_until__gt=datetime.now(tz=UTC))
    return ends.order_by("-locked_until").values_list("locked_until", flat=True).first()


class SignInAttempt(NamedTuple):
    """A counted attempt: refused until a time, or allowed; `closes` marks the last one before a lock."""

    until: datetime | None = None
    closes: bool = False


@transaction.atomic
def count_attempt(key: str) -> SignInAttempt:
    """Count an attempt before anything is compared, so that parallel attempts don’t exceed the limit.

    Call `refund` after a right one.
    """
    now = datetime.now(tz=UTC)
    duration = timedelta(minutes=settings.LOCK_MINUTES)
    lock, _ = SignInLock.objects.select_for_update().get_or_create(key=key, defaults={"since": now})
    if lock.locked_until and lock.locked_until > now:
        return SignInAttempt(until=lock.locked_until)
    if lock.locked_until or lock.since < now - duration:
        lock.failures, lock.since, lock.locked_until = 0, now, None
    lock.failures += 1
    closes = lock.failures >= _limit(key)
    if closes:
        lock.locked_until = now + duration
    lock.save(update_fields=["failures", "since", "locked_until"])
    return SignInAttempt(closes=closes)


@transaction.atomic
def refund(key: str) -> None:
    """Take back an attempt that was right, and the lock it caused."""
    lock = SignInLock.objects.select_for_update().filter(key=key).first()
    if lock is None or not lock.failures:
        return
    lock.failures -= 1
    if lock.failures < _limit(key):
        lock.locked_until = None
    lock.save(update_fields=["failures", "locked_until"])


def count_failure(key: str) -> datetime | None:
    """Count a failure; return the end of the lock if it exceeded the limit, else None."""
    count_attempt(key)
    return locked_until(key)


def _limit(key: str) -> int:
    return int(settings.LOCK_FAILURES * (ADDRESS_FACTOR if key.startswith("ip:") else 1))


def forget(*keys: str) -> None:
    """Forget failures and locks after a success, or when an administrator lifts a lock.

    The rows remain for attempts that wait for them.
    """
    SignInLock.objects.filter(key__in=keys).update(failures=0, locked_until=None)


def forget_old() -> int:
    """Delete rows that have not counted for days, and return their number."""
    return SignInLock.objects.filter(since__lt=datetime.now(tz=UTC) - KEEP).delete()[0]


def keys_of(operator: Operator) -> tuple[str, ...]:
    """Return all keys by which an operator can be locked, except addresses."""
    names = login_key(operator.username), login_key(operator.email)
    return operator_key(operator), code_key(operator), *names


def sentence(until: datetime) -> str:
    """Return the message of a lock: when to try again, but not whether the operator is known."""
    minutes = max(1, -(-int((until - datetime.now(tz=UTC)).total_seconds()) // 60))
    unit = "minute" if minutes == 1 else "minutes"
    return f"Too many attempts. Try again after {time_text(until)}, in {minutes} {unit}."
