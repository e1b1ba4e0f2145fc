"""Entry point of the web server: passes every request to Django through WSGI, without ambiguous headers.

WSGI gives the headers `X-Forwarded-For` and `X_Forwarded_For` the same name (`HTTP_X_FORWARDED_FOR`), and
Granian's own WSGI interface keeps the last one: a visitor could overwrite what the proxy sent. Its RSGI
interface passes the original names, so this module drops headers whose names contain anything but letters,
digits and hyphens. `console.wsgi` remains the application.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import wait
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, NamedTuple

from django.core.exceptions import ImproperlyConfigured

from console.recent_threads import RecentThreads
from console.web.startup import end_one_at_a_time, refuse_credentials

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
try:
    # Granian gives up on workers that end within seconds; one that loads Django first and then refuses would
    # be restarted again and again.
    refuse_credentials()
    from console.wsgi import application
except ImproperlyConfigured as error:
    end_one_at_a_time()
    raise SystemExit(f"Gatehouse does not start. {error}") from None
except SystemExit:
    end_one_at_a_time()
    raise

THREADS: Final = 8
"""Number of requests that one process answers at a time, and of its connections to the database
(console.web.startup).
"""
CHUNK: Final = 64 * 1024
NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
ALONE: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}

LOOP_CHECK_SECONDS: Final = 1.0
"""Interval at which a thread that waits for the event loop checks that the loop still runs."""
SWITCH_SECONDS: Final = 0.001
"""Thread switch interval. With Python's default of 0.005, a page with thirty queries waits after each query
while another thread calculates: 0.15 s in total.
"""

sys.setswitchinterval(SWITCH_SECONDS)
threads = RecentThreads(THREADS, name="web")

from console.web.warm_up import load_pages, read_ahead  # noqa: E402  (needs the application)

read_ahead()
load_pages()


@dataclass(slots=True)
class StartedResponse:
    """The arguments of `start_response`."""

    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        self.status = int(status.split(" ", 1)[0])
        self.headers = headers


class RequestBody(io.RawIOBase):
    """Request body, which the reading thread fetches from the event loop chunk by chunk."""

    def __init__(self, protocol: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.chunks = aiter(protocol)
        self.loop = loop
        self.rest = b""
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Copy at most one chunk into the buffer; return 0 at the end.

        Raises OSError if the client disconnected, which Django handles.
        """
        while not self.rest and not self.ended:
            try:
                chunk = _run(self._next(), self.loop)
            except RuntimeError as error:
                raise OSError("The client went away.") from error
            if chunk is None:
                self.ended = True
            else:
                self.rest = chunk
        taken, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    async def _next(self) -> bytes | None:
        try:
            return bytes(await anext(self.chunks))
        except StopAsyncIteration:
            return None


def header_variables(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers under their WSGI names: repeated headers are joined, and ambiguous names are
    dropped.
    """
    variables: dict[str, str] = {}
    for raw_name, value in headers:
        name = raw_name.lower()
        if not NAME_CHARACTERS.issuperset(name):
            continue
        variable = ALONE.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        separator = "; " if name == "cookie" else ","
        variables[variable] = f"{variables[variable]}{separator}{value}" if variable in variables else value
    return variables


def environ_of(scope: Any, body: RequestBody) -> dict[str, Any]:
    """Return the WSGI environment of a request."""
    host, _, port = scope.server.rpartition(":")
    variables = header_variables(scope.headers.items())
    if scope.authority:
        variables.setdefault("HTTP_HOST", scope.authority)
    return variables | {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "SERVER_NAME": host.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BufferedReader(body, CHUNK),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def in_chunks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join and yield the bytes in pieces large enough to send."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        if len(waiting) >= CHUNK:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


class ShortAnswer(NamedTuple):
    """A response to be sent at once."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def answer(scope: Any, protocol: Any, loop: asyncio.AbstractEventLoop) -> ShortAnswer | None:
    """Run Django in this thread. Returns a short response, which the event loop sends; sends a long one as a
    stream.
    """
    started: Any = StartedResponse()
    response: Any = application(environ_of(scope, RequestBody(protocol, loop)), started)
    try:
        chunks = in_chunks(response)
        first = next(chunks, b"")
        second = next(chunks, None)
        if second is None:
            return ShortAnswer(started.status, started.headers, first)
        transport = _in_loop(loop, lambda: protocol.response_stream(started.status, started.headers))
        for chunk in chain((first, second), chunks):
            _send(loop, transport, chunk)
        return None
    finally:
        response.close()


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], Any]) -> Any:
    async def run() -> Any:
        return call()

    return _run(run(), loop)


def _send(loop: asyncio.AbstractEventLoop, transport: Any, chunk: bytes) -> None:
    async def run() -> None:
        await transport.send_bytes(chunk)

    _run(run(), loop)


def _run(coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Any:
    """Run a coroutine on the event loop and return its result.

    Raises OSError if the loop has ended; otherwise a request that outlives its server would wait forever, and
    keep the process running.
    """
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    while not wait([future], timeout=LOOP_CHECK_SECONDS).done:
        if not loop.is_running():
            raise OSError("The server has stopped.")
    return future.result()


def is_unreadable(headers: Any) -> bool:
    """Return whether Granian dropped a header of the proxy because a visitor added bytes that aren’t
    ASCII.
    """
    readable = {name for name, _ in headers.items()}
    return any(name.startswith("x-forwarded-") and name not in readable for name in headers.keys())  # noqa: SIM118


async def serve(scope: Any, protocol: Any) -> None:
    """Answer one request; called by Granian."""
    if scope.proto != "http":
        return
    if is_unreadable(scope.headers):
        protocol.response_str(400, [("Content-Type", "text/plain")], "A forwarding header isn’t ASCII.")
        return
    loop = asyncio.get_running_loop()
    short = await loop.run_in_executor(threads, answer, scope, protocol, loop)
    if short is not None:
        protocol.response_bytes(*short)
