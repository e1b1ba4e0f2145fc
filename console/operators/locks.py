"""Too many failures lock a sign-in for a while: counted in the database, so that it holds over all web
processes.

A lock is on the operator, or on what was typed where nobody is called so: it reads the same. It stops
passwords and codes only: anyone who has a passkey or single sign-on cannot be locked out by a stranger.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from console.operators.models import Operator, SignInLock

# Many people share an address.
ADDRESS_FACTOR = 10
KEEP = timedelta(days=2)


def login_key(login: str) -> str:
    """What was typed as name or address; hashed, since people type passwords there."""
    digest = salted_hmac("gatehouse.sign-in.lock", login.strip().casefold(), algorithm="sha256").hexdigest()
    return f"login:{digest[:64]}"


def operator_key(operator: Operator) -> str:
    """The password of an operator, by whatever name they are called."""
    return f"operator:{operator.pk}"


def code_key(operator: Operator) -> str:
    """The second factor of an operator."""
    return f"code:{operator.pk}"


def address_key(ip: str) -> str:
    """A network address; of IPv6 the network, since anyone who has one address has 2^64 of them."""
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        address = (
            address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False).network_address
        )
    return f"ip:{address}"


def locked_until(*keys: str) -> datetime | None:
    """The end of the longest lock on any of the keys; None when none is locked now."""
    ends = SignInLock.objects.filter(key__in=keys, locked_until__gt=datetime.now(tz=UTC))
    return ends.order_by("-locked_until").values_list("locked_until", flat=True).first()


class SignInAttempt(NamedTuple):
    """One counted attempt: refused until then, or let through; `closes` when it is the last one before a
    lock.
    """

    until: datetime | None = None
    closes: bool = False


@transaction.atomic
def count_attempt(key: str) -> SignInAttempt:
    """Count an attempt before anything is compared, so that many at once are no more than the limit; `refund`
    one that was right.
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
    """Take back one attempt that was no failure, and the lock that it brought about."""
    lock = SignInLock.objects.select_for_update().filter(key=key).first()
    if lock is None or not lock.failures:
        return
    lock.failures -= 1
    if lock.failures < _limit(key):
        lock.locked_until = None
    lock.save(update_fields=["failures", "locked_until"])


def count_failure(key: str) -> datetime | None:
    """One more failure; the end of the lock when it was one too many, else None."""
    count_attempt(key)
    return locked_until(key)


def _limit(key: str) -> int:
    return int(settings.LOCK_FAILURES * (ADDRESS_FACTOR if key.startswith("ip:") else 1))


def forget(*keys: str) -> None:
    """Forget failures and locks: after a success, or when an administrator lifts a lock. The rows stay for
    attempts that wait for them.
    """
    SignInLock.objects.filter(key__in=keys).update(failures=0, locked_until=None)


def forget_old() -> int:
    """Remove what has not counted for days; returns how many rows."""
    return SignInLock.objects.filter(since__lt=datetime.now(tz=UTC) - KEEP).delete()[0]


def keys_of(operator: Operator) -> tuple[str, ...]:
    """Every key by which an operator can be locked, apart from addresses."""
    names = login_key(operator.username), login_key(operator.email)
    return operator_key(operator), code_key(operator), *names


def sentence(until: datetime) -> str:
    """What a locked-out person reads: when to try again, and nothing about whether they are known."""
    minutes = max(1, -(-int((until - datetime.now(tz=UTC)).total_seconds()) // 60))
    unit = "minute" if minutes == 1 else "minutes"
    return f"Too many attempts. Try again after {until:%H:%M} UTC, in {minutes} {unit}."
