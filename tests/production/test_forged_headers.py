"""A visitor cannot overwrite what the proxy says about them: names with underscores, dots or strange bytes
pass for nothing.
"""

from __future__ import annotations

import re
import socket

import pytest

from tests.journeys.production import HOST, Installation
from tests.patience import PATIENCE_S

PROXY_SAYS = [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https")]
FORGERIES = ["X_Forwarded_For", "X-Forwarded_For", "X_Forwarded-For", "x_forwarded_for", "X.Forwarded.For"]


def ask(
    installed: Installation, lines: list[tuple[str, str]], *, path: str = "/sign-in/", body: str = ""
) -> str:
    """The whole answer to one raw request: the headers go out as they are written here, in this order."""
    method = "POST" if body else "GET"
    headers = [("Host", HOST), *lines, ("Connection", "close")]
    if body:
        headers += [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", str(len(body))),
            ("Referer", f"https://{HOST}/sign-in/"),
        ]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    with socket.create_connection(("127.0.0.1", installed.port), timeout=PATIENCE_S) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode("latin-1"))
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")


def fail_to_sign_in(installed: Installation, lines: list[tuple[str, str]]) -> str:
    """The address that the journal holds for a failed sign-in with these headers."""
    page = ask(installed, PROXY_SAYS)
    cookie = re.search(r"__Host-gatehouse_csrf=[^;]+", page)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert cookie, page[:500]
    assert token, page[:500]
    form = f"csrfmiddlewaretoken={token[1]}&login=nobody%40example.com&password=wrong-wrong-wrong"
    answer = ask(installed, [*lines, ("Cookie", cookie[0])], body=form)
    assert "Wrong username or password" in answer, answer[:2000]
    query = "SELECT ip FROM journal_entry WHERE kind = 'sign_in.failed' ORDER BY id DESC LIMIT 1"
    return str(installed.rows(query)[0][0])


def test_the_address_in_the_journal_is_the_one_the_proxy_gave(installed: Installation) -> None:
    for forged in FORGERIES:
        for lines in ([*PROXY_SAYS, (forged, "6.6.6.6")], [(forged, "6.6.6.6"), *PROXY_SAYS]):
            installed.rows("DELETE FROM operators_signinlock")
            assert fail_to_sign_in(installed, lines) == "203.0.113.7", lines


def test_repeated_lines_keep_their_order(installed: Installation) -> None:
    assert fail_to_sign_in(installed, [("X-Forwarded-For", "6.6.6.6"), *PROXY_SAYS]) == "203.0.113.7"


@pytest.mark.parametrize("forged", ["X_Forwarded_Proto", "X-Forwarded_Proto", "X.Forwarded.Proto"])
def test_plain_http_does_not_pass_for_https(installed: Installation, forged: str) -> None:
    plain = [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "http")]
    for lines in ([*plain, (forged, "https")], [(forged, "https"), *plain]):
        assert ask(installed, lines).startswith("HTTP/1.1 301"), lines


def test_other_headers_cannot_be_imitated_either(installed: Installation) -> None:
    answer = ask(installed, [*PROXY_SAYS, ("HX_Request", "true"), ("X_Forwarded_Host", "evil.example.com")])
    assert answer.startswith("HTTP/1.1 200")
    assert "<!doctype html>" in answer.lower()
    assert "evil.example.com" not in answer


def test_bytes_beside_the_address_do_not_hide_it(installed: Installation) -> None:
    lines = [("X-Forwarded-For", "\xe9, 203.0.113.7"), ("X-Forwarded-Proto", "https")]
    assert ask(installed, lines).startswith("HTTP/1.1 400")


def test_paths_long_answers_and_bodies_arrive_whole(installed: Installation) -> None:
    assert ask(installed, PROXY_SAYS, path="/sign-in/%C3%A9%2F").startswith("HTTP/1.1 404")
    names = set(re.findall(r"/static/[^\"#]+", ask(installed, PROXY_SAYS)))
    for name in names:
        answer = installed.ask(name)
        assert (answer.status, len(answer.body)) == (200, int(answer.headers["Content-Length"])), name
    head = installed.ask("/sign-in/", method="HEAD")
    assert (head.status, head.body) == (200, b"")
