"""An HTTP/1.1 server with keep-alive for the world: one thread per connection, using only the standard
library.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from console.demo.standin import control
from console.demo.standin.errors import StandinReply
from console.demo.standin.faults import CutOffError
from console.demo.standin.world import IncomingRequest, StandinWorld


class StandinServer(ThreadingHTTPServer):
    """Listens for the world. Its threads don't keep the process alive."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], world: StandinWorld) -> None:
        self.world = world
        super().__init__(address, StandinRequestHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnected."""


class StandinRequestHandler(BaseHTTPRequestHandler):
    """Handles a connection."""

    protocol_version = "HTTP/1.1"
    server_version = "AmazonIAM"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: StandinServer

    def do_POST(self) -> None:
        """Handle a POST, which most AWS calls are."""
        self._answer()

    def do_PUT(self) -> None:
        """Handle a PUT, which REST services use for some actions."""
        self._answer()

    def do_PATCH(self) -> None:
        """Handle a PATCH, which REST services use for some actions."""
        self._answer()

    def do_DELETE(self) -> None:
        """Handle a DELETE, which REST services use for some actions."""
        self._answer()

    def do_GET(self) -> None:
        """Handle a GET, which query calls and control requests can use."""
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing, because parameters may contain secrets."""

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(size) if size else b""
        incoming = IncomingRequest(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            source_ip=str(self.client_address[0]),
        )
        try:
            serve = control.serve if path.startswith(control.PREFIX) else StandinWorld.serve
            self._send(serve(self.server.world, incoming))
        except CutOffError:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, reply: StandinReply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()


@dataclass
class RunningStandin:
    """A simulated AWS that runs in a thread of this process."""

    server: StandinServer
    thread: threading.Thread
    world: StandinWorld

    @property
    def url(self) -> str:
        """Its address for `endpoint_url` or AWS_ENDPOINT_URL."""
        host, port = self.server.server_address[:2]
        return f"http://{host!s}:{port}"

    def stop(self) -> None:
        """Stop listening and free the port."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
