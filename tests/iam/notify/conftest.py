"""A broker that only writes down what it is told, and a small web server that receives webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID

import pytest

from iam.notify.models import DELIVER
from tests.queue import catch


@pytest.fixture(autouse=True)
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The ids that would have been put into the queue."""
    sent: list[UUID] = []

    def send(_: str, outgoing_id: UUID) -> bool:
        sent.append(outgoing_id)
        return True

    catch(monkeypatch, DELIVER, send)
    return sent


@dataclass
class Receiver:
    """What arrived, as (path, headers, body), and what the next requests are answered: (status, headers)."""

    url: str
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    arrived: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A server on this machine, which the settings admit."""

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

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    settings.WEBHOOK_PRIVATE = True
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
