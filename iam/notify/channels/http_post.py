"""Sends a POST request to a URL set by an operator: to a public host only, without following redirects.

The name is resolved once, all its addresses must be public, and the connection uses a checked address. So a
different answer to a second lookup has no effect.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from django.conf import settings

from iam.notify.channels.errors import DeliveryError, reason_of

TIMEOUT = 10.0
MAX_ANSWER_BYTES = 4096
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PASSING = {408, 425, 429}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    who: str,
    is_private: bool | None = None,
    ca_file: str = "",
) -> None:
    """Send JSON; a status from 200 to 299 is success. Raises DeliveryError, whose text never contains the
    URL, which can be secret. `is_private` allows hosts that aren't public (None: as in
    GATEHOUSE_WEBHOOK_PRIVATE). `ca_file` has the CAs that are trusted instead of the system’s.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    is_private = settings.WEBHOOK_PRIVATE if is_private is None else is_private
    addresses = _allowed(host, port, who=who, is_private=is_private)
    connection = _PinnedConnection(host, port, addresses=addresses, secure=secure, ca_file=ca_file)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"Content-Type": "application/json", "User-Agent": "Gatehouse", **headers}
    try:
        connection.request("POST", target, body=body, headers=sent)
        answer = connection.getresponse()
        answer.read(MAX_ANSWER_BYTES)
        status = answer.status
    except ssl.SSLCertVerificationError as error:
        raise DeliveryError(f"{who}: its certificate can’t be verified ({error.verify_message}).") from None
    except (OSError, HTTPException) as error:
        raise DeliveryError(f"{who} couldn’t be reached: {reason_of(error)}.") from None
    finally:
        connection.close()
    if 300 <= status < 400:
        raise DeliveryError(
            f"{who} answered {status}, a redirect, which is not followed: set the final address.",
            is_final=True,
        )
    if not 200 <= status < 300:
        is_final = 400 <= status < 500 and status not in _PASSING
        raise DeliveryError(f"{who} answered {status}.", is_final=is_final)


def _allowed(host: str, port: int, *, who: str, is_private: bool) -> list[str]:
    """Return the addresses of a host. Raises DeliveryError if one of them isn't public, unless that is
    allowed.
    """
    try:
        addresses = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise DeliveryError(f"{who}: the host name can’t be resolved.") from None
    if not is_private and not all(map(is_public, addresses)):
        raise DeliveryError(
            f"{who} has an address that is not public. GATEHOUSE_WEBHOOK_PRIVATE=true allows it.",
            is_final=True,
        )
    return addresses


def is_public(text: str) -> bool:
    """Return True if an address is on the public internet, also if it embeds another one."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.is_site_local:
            return False
        address = inner or address
    return address.is_global and not (address.is_multicast or address.is_reserved)


class _PinnedConnection(HTTPConnection):
    """Connects to one of the checked addresses, and uses the host name in TLS and in the request."""

    def __init__(self, host: str, port: int, *, addresses: list[str], secure: bool, ca_file: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self._addresses, self._secure, self._ca_file = addresses, secure, ca_file
        if secure:
            self.default_port = 443

    def connect(self) -> None:
        """Try the addresses in turn."""
        for place, address in enumerate(self._addresses):
            try:
                self.sock = socket.create_connection((address, self.port), TIMEOUT)
                break
            except OSError:
                if place == len(self._addresses) - 1:
                    raise
        if self._secure:
            context = ssl.create_default_context(cafile=self._ca_file or None)
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
