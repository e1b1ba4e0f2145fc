"""Connections to other hosts that nothing encrypts: in production they need a setting that says so."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from console.env import ConfigurationError

ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})
"""Of PostgreSQL's `sslmode`. The others, and libpq's own default, go on in plain text when the server offers
no TLS.
"""
ALLOWED_BY: Final = "GATEHOUSE_PLAIN_CONNECTIONS"


def refuse_plain(*, database: Mapping[str, Any], broker: str, email_host: str, email_tls: bool) -> None:
    """Raise ConfigurationError naming the first setting whose connection leaves this host in plain text."""
    options = database.get("OPTIONS") or {}
    if not is_here(str(database.get("HOST") or "")) and options.get("sslmode") not in ENCRYPTED:
        _refuse("DATABASE_URL", "add ?sslmode=verify-full&sslrootcert=FILE")
    parts = urlsplit(broker)
    if parts.scheme == "redis" and not is_here(parts.hostname or ""):
        _refuse("REDIS_URL", "write rediss:// instead of redis://")
    if email_host and not email_tls and not is_here(email_host):
        _refuse("GATEHOUSE_EMAIL_TLS", "set it to true")


def is_here(host: str) -> bool:
    """True for a socket and for loopback."""
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(name: str, remedy: str) -> None:
    raise ConfigurationError(
        f"{name} connects to another host without TLS: {remedy}. If that network is encrypted in another "
        f"way, set {ALLOWED_BY}=true."
    )
