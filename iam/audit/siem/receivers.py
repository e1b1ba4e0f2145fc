"""The configured receivers. Each sends a batch and returns once it is confirmed, as far as its protocol
allows.
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
"""The time in seconds to wait, after the last datagram, for the error that no process listens."""
MAX_ANSWERS: Final = 20
"""The number of reads after a batch. Syslog receivers normally send nothing."""


class SiemReceiver(ABC):
    """A destination of the journal. `key` is stored and queued, `label` is displayed; neither contains a
    secret.
    """

    key: str
    label: str

    @abstractmethod
    def send(self, batch: Sequence[ExportedEntry]) -> None:
        """Send entries. Raises DeliveryError."""


@dataclass(frozen=True, slots=True)
class HttpsReceiver(SiemReceiver):
    """Sends JSON lines in a POST body; a status from 200 to 299 confirms them."""

    url: str = field(repr=False)
    token: str = field(repr=False)
    ca_file: str

    @property
    def key(self) -> str:  # type: ignore[override]
        """The stored key. A different path is a different receiver. The path can be a secret, so only a
        digest of the URL is used.
        """
        digest = hashlib.sha256(self.url.encode()).hexdigest()[:16]
        return f"https:{urlsplit(self.url).hostname}:{digest}"

    @property
    def label(self) -> str:  # type: ignore[override]
        """The label on the page."""
        parts = urlsplit(self.url)
        return f"{parts.scheme.upper()} to {parts.hostname}"

    def send(self, batch: Sequence[ExportedEntry]) -> None:
        """Send the batch in one POST, without following redirects."""
        body = b"".join(exported.line() + b"\n" for exported in batch)
        headers = {"Content-Type": "application/x-ndjson"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        post(self.url, body=body, headers=headers, who="The SIEM", is_private=True, ca_file=self.ca_file)


@dataclass(frozen=True, slots=True)
class SyslogReceiver(SiemReceiver):
    """Sends RFC 5424 messages over TLS (RFC 5425), TCP (RFC 6587, octet counting) or UDP (RFC 5426)."""

    scheme: str
    host: str
    port: int
    ca_file: str

    @property
    def key(self) -> str:  # type: ignore[override]
        """The stored key."""
        return f"{self.scheme}:{self.host}:{self.port}"

    @property
    def label(self) -> str:  # type: ignore[override]
        """The label on the page."""
        return f"Syslog ({self.scheme.upper()}) to {self.host}:{self.port}"

    def send(self, batch: Sequence[ExportedEntry]) -> None:
        """Send the batch over one connection."""
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
                # Some receivers close without a TLS close_notify. That counts as an orderly end too.
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
    """Wait until the receiver closes the connection, because syslog has no confirmation.

    An orderly close means that everything was read. A receiver that dies with unread data resets the
    connection, which raises OSError.
    """
    for _ in range(MAX_ANSWERS):
        if not plain.recv(4096):
            return
    raise TimeoutError


def configured_receivers() -> list[SiemReceiver]:
    """The configured receivers, validated at startup."""
    receivers: list[SiemReceiver] = []
    if settings.SIEM_URL:
        receivers.append(HttpsReceiver(settings.SIEM_URL, settings.SIEM_TOKEN, settings.SIEM_CA))
    if settings.SIEM_SYSLOG:
        parts = urlsplit(settings.SIEM_SYSLOG)
        receivers.append(SyslogReceiver(parts.scheme, str(parts.hostname), parts.port or 0, settings.SIEM_CA))
    return receivers
