"""Refuses unencrypted connections to other hosts in production unless a setting allows them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from console.env import ConfigurationError

ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})
"""Values of PostgreSQL's `sslmode` that require TLS. All others, and libpq's default, fall back to plain text
if the server offers no TLS.
"""
ALLOWED_BY: Final = "GATEHOUSE_PLAIN_CONNECTIONS"


def refuse_plain(*, database: Mapping[str, Any], broker: str, email_host: str, email_tls: bool) -> None:
    """Raise ConfigurationError for the first setting whose connection leaves this host unencrypted."""
    options = database.get("OPTIONS") or {}
    if not is_here(str(database.get("HOST") or "")) and options.get("sslmode") not in ENCRYPTED:
        _refuse("DATABASE_URL", "add ?sslmode=verify-full&sslrootcert=FILE")
    parts = urlsplit(broker)
    if parts.scheme == "redis" and not is_here(parts.hostname or ""):
        _refuse("REDIS_URL", "write rediss:// instead of redis://")
    if email_host and not email_tls and not is_here(email_host):
        _refuse("GATEHOUSE_EMAIL_TLS", "set it to true")


def is_here(host: str) -> bool:
    """Return whether the host is a socket or loopback."""
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
