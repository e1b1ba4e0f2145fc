"""The receivers of the settings. Each sends a batch, and returns only when the receiver has confirmed it as
far as its protocol can.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from iam.audit.siem.lines import ExportedEntry, datagram, syslog_message
from iam.notify.channels.errors import DeliveryError, reason_of
from iam.notify.channels.http_post import post

TIMEOUT: Final = 10.0
REFUSAL_WAIT: Final = 0.2
"""Seconds after the last datagram in which a host can answer that nobody listens."""
MAX_ANSWERS: Final = 20
"""Reads after the end of a batch: syslog receivers have nothing to say."""


class SiemReceiver(ABC):
    """Where the journal is sent. `key` is stored and queued, `label` is shown: neither holds a secret."""

    key: str
    label: str

    @abstractmethod
    def send(self, batch: Sequence[ExportedEntry]) -> None:
        """Send some entries. Raises DeliveryError."""


@dataclass(frozen=True, slots=True)
class HttpsReceiver(SiemReceiver):
    """JSON lines in the body of a POST; an answer from 200 to 299 confirms them."""

    url: str = field(repr=False)
    token: str = field(repr=False)
    ca_file: str

    @property
    def key(self) -> str:  # type: ignore[override]
        """Another path is another receiver. The path can be a secret: only its digest is kept."""
        digest = hashlib.sha256(self.url.encode()).hexdigest()[:16]
        return f"https:{urlsplit(self.url).hostname}:{digest}"

    @property
    def label(self) -> str:  # type: ignore[override]
        """As the page shows it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme.upper()} to {parts.hostname}"

    def send(self, batch: Sequence[ExportedEntry]) -> None:
        """One POST for the batch, without following a redirect."""
        body = b"".join(exported.line() + b"\n" for exported in batch)
        headers = {"Content-Type": "application/x-ndjson"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        post(self.url, body=body, headers=headers, who="The SIEM", is_private=True, ca_file=self.ca_file)


@dataclass(frozen=True, slots=True)
class SyslogReceiver(SiemReceiver):
    """Messages of RFC 5424 over TLS (RFC 5425), TCP (RFC 6587, octet counting) or UDP (RFC 5426)."""

    scheme: str
    host: str
    port: int
    ca_file: str

    @property
    def key(self) -> str:  # type: ignore[override]
        """As it is stored."""
        return f"{self.scheme}:{self.host}:{self.port}"

    @property
    def label(self) -> str:  # type: ignore[override]
        """As the page shows it."""
        return f"Syslog ({self.scheme.upper()}) to {self.host}:{self.port}"

    def send(self, batch: Sequence[ExportedEntry]) -> None:
        """One connection for the batch."""
        try:
            if self.scheme == "udp":
                self._send_datagrams(batch)
            else:
                self._send_stream(batch)
        except ssl.SSLCertVerificationError as error:
            raise DeliveryError(
                f"The certificate of the syslog receiver can’t be verified: {error.verify_message}."
            ) from None
        except TimeoutError:
            raise DeliveryError(
                "The syslog receiver didn’t answer, or didn’t close the connection after the last message, "
                f"within {TIMEOUT:.0f} s."
            ) from None
        except (socket.gaierror, UnicodeError):
            raise DeliveryError("The host name of the syslog receiver can’t be resolved.") from None
        except OSError as error:
            raise DeliveryError(f"The syslog receiver couldn’t be reached: {reason_of(error)}.") from None

    def _send_stream(self, batch: Sequence[ExportedEntry]) -> None:
        frames = []
        for exported in batch:
            message = syslog_message(exported)
            frames.append(b"%d %s" % (len(message), message))
        with socket.create_connection((self.host, self.port), TIMEOUT) as plain:
            if self.scheme == "tcp":
                plain.sendall(b"".join(frames))
                plain.shutdown(socket.SHUT_WR)
                _wait_for_end(plain)
                return
            context = ssl.create_default_context(cafile=self.ca_file or None)
            with context.wrap_socket(plain, server_hostname=self.host) as secure:
                secure.sendall(b"".join(frames))
                # Some receivers end the connection without TLS's own goodbye: an end is an end.
                with suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):
                    secure.unwrap()

    def _send_datagrams(self, batch: Sequence[ExportedEntry]) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as sock:
            sock.connect(address)
            for exported in batch:
                sock.send(datagram(exported))
            sock.settimeout(REFUSAL_WAIT)
            with suppress(TimeoutError):
                sock.recv(1)


def _wait_for_end(plain: socket.socket) -> None:
    """Syslog confirms nothing. A receiver that closes in an orderly way has read everything; one that dies
    with something unread resets the connection, which raises OSError.
    """
    for _ in range(MAX_ANSWERS):
        if not plain.recv(4096):
            return
    raise TimeoutError


def configured_receivers() -> list[SiemReceiver]:
    """The receivers of the settings, which were checked at the start."""
    receivers: list[SiemReceiver] = []
    if settings.SIEM_URL:
        receivers.append(HttpsReceiver(settings.SIEM_URL, settings.SIEM_TOKEN, settings.SIEM_CA))
    if settings.SIEM_SYSLOG:
        parts = urlsplit(settings.SIEM_SYSLOG)
        receivers.append(SyslogReceiver(parts.scheme, str(parts.hostname), parts.port or 0, settings.SIEM_CA))
    return receivers
