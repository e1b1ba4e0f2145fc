"""Reads the SIEM receivers of the journal from the environment; an invalid address stops the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from console import env, plain_connections
from console.notices import split_address, web_address

PORTS: Final = {"tls": 6514, "tcp": 514, "udp": 514}
"""Default ports of syslog by transport."""


@dataclass(frozen=True, slots=True)
class SiemSettings:
    """Addresses of the receivers; "" means none. `syslog` always includes a port. `history`: a new receiver
    gets the journal from its first entry on.
    """

    url: str = field(repr=False)
    token: str = field(repr=False)
    syslog: str
    ca_file: str
    history: bool


def siem_settings(*, plain_allowed: bool) -> SiemSettings:
    """Read the receivers from the environment. Raises ConfigurationError."""
    return SiemSettings(
        url=_url(),
        token=_token(),
        syslog=_syslog(plain_allowed=plain_allowed),
        ca_file=env.file("GATEHOUSE_SIEM_CA"),
        history=env.flag("GATEHOUSE_SIEM_HISTORY", default=True),
    )


def siem_values(*, plain_allowed: bool) -> tuple[str, str, str, str, bool]:
    """Return the same settings as a tuple, in the order of SiemSettings. Raises ConfigurationError."""
    read = siem_settings(plain_allowed=plain_allowed)
    return read.url, read.token, read.syslog, read.ca_file, read.history


def _url() -> str:
    parts = web_address("GATEHOUSE_SIEM_URL")
    if parts is None:
        return ""
    address = parts.geturl()
    if not address.isascii() or not address.isprintable() or " " in address:
        raise env.ConfigurationError(
            "GATEHOUSE_SIEM_URL holds a space or a character outside of ASCII: write it percent-encoded."
        )
    is_local = parts.scheme == "http" and plain_connections.is_here(str(parts.hostname))
    if parts.scheme != "https" and not is_local:
        raise env.ConfigurationError(
            "GATEHOUSE_SIEM_URL must start with https:// (or http:// for an agent on this host)."
        )
    return address


def _token() -> str:
    token = env.text("GATEHOUSE_SIEM_TOKEN", "")
    if token and not env.text("GATEHOUSE_SIEM_URL", ""):
        raise env.ConfigurationError("GATEHOUSE_SIEM_TOKEN is set without GATEHOUSE_SIEM_URL: set both.")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise env.ConfigurationError(
            "GATEHOUSE_SIEM_TOKEN holds a space or a character outside of ASCII: write the token alone, "
            "without “Bearer”."
        )
    return token


def _syslog(*, plain_allowed: bool) -> str:
    value = env.text("GATEHOUSE_SIEM_SYSLOG", "")
    if not value:
        return ""
    wrong = (
        "GATEHOUSE_SIEM_SYSLOG isn’t the address of a syslog receiver: write tls://HOST:PORT, "
        "tcp://HOST:PORT or udp://HOST:PORT."
    )
    parts = split_address(value, wrong)
    if parts.scheme not in PORTS or parts.path.strip("/") or parts.query:
        raise env.ConfigurationError(wrong)
    name = str(parts.hostname)
    host = f"[{name}]" if ":" in name else name
    if parts.scheme != "tls" and not plain_allowed and not plain_connections.is_here(name):
        raise env.ConfigurationError(
            "GATEHOUSE_SIEM_SYSLOG connects to another host without TLS: write tls:// instead of "
            f"{parts.scheme}://. If that network is encrypted in another way, set "
            f"{plain_connections.ALLOWED_BY}=true."
        )
    return f"{parts.scheme}://{host}:{parts.port or PORTS[parts.scheme]}"
