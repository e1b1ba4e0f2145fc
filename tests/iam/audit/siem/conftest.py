"""Receivers on this machine: a web server, and sockets that speak syslog."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import time_machine

from iam.journal.chain import chain_pending
from iam.journal.models import Entry
from iam.journal.services import record
from tests.patience import PATIENCE_S
from tests.queue import catch

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TOKEN = "a-token-that-nobody-may-read"


@dataclass
class WebReceiver:
    """The requests that arrived, as (path, headers, body), and what the next ones are answered."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    arrived: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def web_receiver(certificate: Path | None = None) -> Iterator[WebReceiver]:
    """A web server, with TLS where it has a certificate."""
    made = WebReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.arrived.append((self.path, dict(self.headers), body))
            status, headers = made.answers.pop(0) if made.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Server(HTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A client that does not trust the certificate hangs up."""

    server = Server(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/in"
    if certificate:
        server.socket = _with_tls(server.socket, certificate)
        made.url = f"https://localhost:{server.server_port}/in"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class StreamReceiver:
    """What each connection sent, whole. `reset` connections are cut without reading; `keeps_open` never
    ends one.
    """

    port: int
    arrived: list[bytes] = field(default_factory=list)
    reset: int = 0
    keeps_open: bool = False


@contextmanager
def stream_receiver(certificate: Path | None = None) -> Iterator[StreamReceiver]:
    """A syslog receiver over TCP, or TLS where it has a certificate."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = StreamReceiver(listening.getsockname()[1])
    ended = threading.Event()
    if certificate:
        listening = _with_tls(listening, certificate)

    def serve() -> None:
        while not ended.is_set():
            with suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    _read_whole(connection, made, ended)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        # Wakes the thread that accepts.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", made.port), 1).close()
        thread.join(PATIENCE_S)
        listening.close()


def _read_whole(connection: socket.socket, made: StreamReceiver, ended: threading.Event) -> None:
    if made.reset:
        made.reset -= 1
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    content = b""
    while part := connection.recv(65_536):
        content += part
    if content:
        made.arrived.append(content)
    if made.keeps_open:
        ended.wait(PATIENCE_S)
    if isinstance(connection, ssl.SSLSocket):
        connection.unwrap()


def _with_tls(plain: socket.socket, certificate: Path) -> socket.socket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context.wrap_socket(plain, server_side=True)


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The receivers for which a task would have been queued."""
    sent: list[str] = []
    catch(monkeypatch, "iam.audit.siem.", lambda _, key: sent.append(key))
    return sent


@pytest.fixture
def web(settings: Any) -> Iterator[WebReceiver]:
    """A web server that the settings name."""
    with web_receiver() as made:
        settings.SIEM_URL, settings.SIEM_TOKEN = made.url, TOKEN
        yield made


@pytest.fixture
def write() -> Callable[..., list[Entry]]:
    """Writes so many entries, and chains them into a block of their own."""

    def write_some(count: int, **parts: Any) -> list[Entry]:
        with time_machine.travel(NOON + timedelta(minutes=Entry.objects.count()), tick=False):
            entries = [
                record(kind="role.assign", actor=None, subject=f"s{number}", **parts)
                for number in range(count)
            ]
            chain_pending()
        return entries

    return write_some
