"""No request hides in the body of another: the server and a proxy before it agree where each one ends."""

from __future__ import annotations

import re
import socket

import pytest

from tests.journeys.production import HOST, Installation
from tests.patience import PATIENCE_S

QUIET_S = 3
"""So long nothing comes, where nothing more is to come."""
STATUS = re.compile(rb"HTTP/1\.1 \d{3}")
HIDDEN = f"GET /healthz HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
CHUNKS = f"{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n"
LENGTH = f"Content-Length: {len(CHUNKS)}"
REQUESTS = {
    "length-and-chunks": ([LENGTH, "Transfer-Encoding: chunked"], CHUNKS),
    "short-length-and-chunks": (["Content-Length: 4", "Transfer-Encoding: chunked"], CHUNKS),
    "no-length-but-zero-chunk": (["Content-Length: 0", "Transfer-Encoding: chunked"], CHUNKS),
    "two-lengths": (["Content-Length: 0", f"Content-Length: {len(HIDDEN)}"], HIDDEN),
    "odd-encoding": (["Content-Length: 5", "Transfer-Encoding: xchunked"], f"0\r\n\r\n{HIDDEN}"),
    "space-before-colon": (["Content-Length: 5", "Transfer-Encoding : chunked"], f"0\r\n\r\n{HIDDEN}"),
    "signed-length": ([f"Content-Length: +{len(HIDDEN)}"], HIDDEN),
    "folded-line": (["Content-Length: 0", "X-Odd: a\r\n Transfer-Encoding: chunked"], CHUNKS),
}


def answers(installed: Installation, lines: list[str], body: str, *, until: int | None = None) -> list[str]:
    """The status lines of everything that comes back on one connection: so many, or all of three seconds."""
    head = "\r\n".join(["POST /sign-in/ HTTP/1.1", f"Host: {HOST}", "X-Forwarded-Proto: https", *lines])
    got = b""
    seconds = PATIENCE_S if until else QUIET_S
    with socket.create_connection(("127.0.0.1", installed.port), timeout=seconds) as connection:
        try:
            connection.sendall(f"{head}\r\n\r\n{body}".encode())
            while len(STATUS.findall(got)) != until and (part := connection.recv(65_536)):
                got += part
        except (TimeoutError, ConnectionError):
            pass
    return [status.decode() for status in STATUS.findall(got)]


@pytest.mark.parametrize("kind", REQUESTS)
def test_no_second_request_hides_in_a_body(installed: Installation, kind: str) -> None:
    lines, body = REQUESTS[kind]
    seen = answers(installed, lines, body)
    assert "HTTP/1.1 200" not in seen, "the hidden request for /healthz was answered"
    assert seen[:1] in ([], ["HTTP/1.1 400"], ["HTTP/1.1 403"])
    assert set(seen[1:]) <= {"HTTP/1.1 400"}


def test_one_plain_request_is_answered(installed: Installation) -> None:
    assert answers(installed, [f"Content-Length: {len(HIDDEN)}"], HIDDEN, until=1) == ["HTTP/1.1 403"]
    assert answers(installed, ["Content-Length: 0"], HIDDEN, until=2) == ["HTTP/1.1 403", "HTTP/1.1 200"]
