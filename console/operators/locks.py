"""Too many failures lock a sign-in for a while: counted in the database, so that it holds over all web processes.

A lock is on what was typed, whether such an account exists or not, so that it tells nothing about that. It stops passwords and
codes only: whoever has a passkey or single sign-on cannot be locked out by a stranger.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

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


def code_key(operator: Operator) -> str:
    """The second factor of an operator."""
    return f"code:{operator.pk}"


def address_key(ip: str) -> str:
    """A network address; of IPv6 the network, since whoever has one address has 2^64 of them."""
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


@transaction.atomic
def count_failure(key: str) -> datetime | None:
    """One more failure; the end of the lock when it was one too many, else None."""
    now = datetime.now(tz=UTC)
    duration = timedelta(minutes=settings.LOCK_MINUTES)
    limit = settings.LOCK_FAILURES * (ADDRESS_FACTOR if key.startswith("ip:") else 1)
    SignInLock.objects.get_or_create(key=key, defaults={"since": now})
    lock = SignInLock.objects.select_for_update().get(key=key)
    if lock.since < now - duration:
        lock.failures, lock.since = 0, now
    lock.failures += 1
    if lock.failures >= limit:
        lock.failures, lock.since, lock.locked_until = 0, now, now + duration
    lock.save(update_fields=["failures", "since", "locked_until"])
    return lock.locked_until if lock.locked_until and lock.locked_until > now else None


def forget(*keys: str) -> None:
    """Forget failures and locks: after a success, or when an administrator lifts a lock."""
    SignInLock.objects.filter(key__in=keys).delete()


def forget_old() -> int:
    """Remove what has not counted for days; returns how many rows."""
    return SignInLock.objects.filter(since__lt=datetime.now(tz=UTC) - KEEP).delete()[0]


def keys_of(operator: Operator) -> tuple[str, ...]:
    """Every key by which an operator can be locked, apart from addresses."""
    return login_key(operator.username), login_key(operator.email), code_key(operator)


def sentence(until: datetime) -> str:
    """What a locked-out person reads: when to try again, and nothing about whether they are known."""
    minutes = max(1, -(-int((until - datetime.now(tz=UTC)).total_seconds()) // 60))
    unit = "minute" if minutes == 1 else "minutes"
    return f"Too many attempts. Try again after {until:%H:%M} UTC, in {minutes} {unit}."
