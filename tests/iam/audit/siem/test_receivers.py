"""What travels over the wire, to real sockets: HTTPS, and syslog over TLS, TCP and UDP."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Callable
from http.client import BadStatusLine, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

from iam.audit.siem import receivers
from iam.audit.siem.models import ExportPosition
from iam.audit.siem.receivers import configured_receivers
from iam.audit.siem.services import nudge_receivers, receiver_states, send_pending
from iam.journal.models import Entry
from iam.notify.channels.errors import reason_of
from tests.iam.audit.siem.conftest import stream_receiver, web_receiver
from tests.services.tls import certificate

pytestmark = pytest.mark.django_db
Write = Callable[..., list[Entry]]
MESSAGE = re.compile(
    rb"<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} gatehouse - role\.assign - (\{.*\})"
)


def frames(content: bytes) -> list[bytes]:
    """The messages of a stream with octet counting (RFC 6587, 3.4.1)."""
    messages = []
    while content:
        length, _, rest = content.partition(b" ")
        messages.append(rest[: int(length)])
        assert len(messages[-1]) == int(length)
        content = rest[int(length) :]
    return messages


def entry_of(message: bytes) -> int:
    match = MESSAGE.fullmatch(message)
    assert match, message
    return int(json.loads(match[1])["entry"])


def send(nudged: list[str]) -> int:
    """Send what is new, whatever pause lasts."""
    nudge_receivers()
    ExportPosition.objects.update(due_at=None)
    return sum(send_pending(receiver.key) for receiver in configured_receivers())


@pytest.mark.parametrize("has_tls", [False, True])
def test_syslog_over_a_stream_has_a_frame_for_each_entry(
    has_tls: bool, write: Write, nudged: list[str], settings: Any, tmp_path: Path
) -> None:
    pem = certificate("localhost", tmp_path) if has_tls else None
    entries = write(2, data={"text": "größer\n<1>"})
    with stream_receiver(pem) as receiver:
        scheme = "tls" if has_tls else "tcp"
        settings.SIEM_SYSLOG, settings.SIEM_CA = f"{scheme}://localhost:{receiver.port}", str(pem or "")
        assert send(nudged) == 2
        entries += write(1)
        assert send(nudged) == 1
        assert send(nudged) == 0
    assert [entry_of(message) for content in receiver.arrived for message in frames(content)] == [
        entry.id for entry in entries
    ]
    [state] = receiver_states()
    assert (state.behind, state.error) == (0, "")
    assert state.label == f"Syslog ({scheme.upper()}) to localhost:{receiver.port}"


def test_a_connection_that_is_cut_before_it_was_read_confirms_nothing(
    write: Write, nudged: list[str], settings: Any
) -> None:
    entries = write(2)
    with stream_receiver() as receiver:
        receiver.reset = 1
        settings.SIEM_SYSLOG = f"tcp://127.0.0.1:{receiver.port}"
        assert send(nudged) == 0
        [state] = receiver_states()
        assert (state.behind, state.entry) == (2, None)
        assert "couldn’t be reached" in state.error
        assert send(nudged) == 2
    [content] = receiver.arrived
    assert [entry_of(message) for message in frames(content)] == [entry.id for entry in entries]


def test_a_receiver_that_does_not_end_the_connection_confirms_nothing(
    write: Write, nudged: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receivers, "TIMEOUT", 0.1)
    write(1)
    with stream_receiver() as receiver:
        receiver.keeps_open = True
        settings.SIEM_SYSLOG = f"tcp://127.0.0.1:{receiver.port}"
        assert send(nudged) == 0
    assert "didn’t close the connection after the last message" in receiver_states()[0].error


def test_nobody_listens(write: Write, nudged: list[str], settings: Any) -> None:
    write(1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    for scheme in ("tcp", "tls", "udp"):
        settings.SIEM_SYSLOG = f"{scheme}://127.0.0.1:{port}"
        assert send(nudged) == 0
        [state] = receiver_states()
        assert state.error == "The syslog receiver couldn’t be reached: connection refused."
        assert state.behind == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(110, "Connection timed out"), "no answer in time"),
        (OSError(113, "No route to host"), "no route to host"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1000)"), "TLS failed"),
        (RemoteDisconnected("Remote end closed connection without response"), "connection closed"),
        (BadStatusLine("x"), "BadStatusLine"),
    ],
)
def test_the_reason_is_said_in_a_few_words(error: Exception, words: str) -> None:
    assert reason_of(error) == words


def test_a_host_without_an_address_is_named_as_such(
    write: Write, nudged: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    settings.SIEM_SYSLOG = "udp://logs.example.com:514"
    write(1)
    assert send(nudged) == 0
    assert receiver_states()[0].error == "The host name of the syslog receiver can’t be resolved."


def test_syslog_over_udp_has_a_datagram_for_each_entry(
    write: Write, nudged: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receivers, "REFUSAL_WAIT", 0.01)
    entries = write(1) + write(1, data={"text": "x" * 70_000})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        settings.SIEM_SYSLOG = f"udp://127.0.0.1:{listening.getsockname()[1]}"
        assert send(nudged) == 2
        messages = [listening.recv(65_536) for _ in entries]
    assert [entry_of(message) for message in messages] == [entry.id for entry in entries]
    # What is too large for a datagram says that something was left out.
    match = MESSAGE.fullmatch(messages[1])
    assert match
    cut = json.loads(match[1])
    assert (cut["data"], cut["data_left_out"], cut["hash"]) == (None, True, entries[1].link.hash)


@pytest.mark.parametrize("is_trusted", [False, True])
def test_https_trusts_the_authorities_of_the_settings_alone(
    is_trusted: bool, write: Write, nudged: list[str], settings: Any, tmp_path: Path
) -> None:
    pem = certificate("localhost", tmp_path)
    write(1)
    with web_receiver(pem) as web:
        settings.SIEM_URL, settings.SIEM_CA = web.url, str(pem) if is_trusted else ""
        assert send(nudged) == int(is_trusted)
    assert len(web.arrived) == int(is_trusted)
    assert ("certificate can’t be verified" in receiver_states()[0].error) is not is_trusted


@pytest.mark.parametrize(("host", "is_trusted"), [("localhost", False), ("elsewhere.example", True)])
def test_syslog_trusts_no_foreign_certificate(
    host: str, is_trusted: bool, write: Write, nudged: list[str], settings: Any, tmp_path: Path
) -> None:
    pem = certificate(host, tmp_path)
    write(1)
    with stream_receiver(pem) as receiver:
        settings.SIEM_SYSLOG = f"tls://localhost:{receiver.port}"
        settings.SIEM_CA = str(pem) if is_trusted else ""
        assert send(nudged) == 0
    assert receiver.arrived == []
    assert "certificate of the syslog receiver can’t be verified" in receiver_states()[0].error


def test_both_receivers_have_a_place_of_their_own(write: Write, nudged: list[str], settings: Any) -> None:
    write(2)
    with web_receiver() as web, stream_receiver() as receiver:
        settings.SIEM_URL = web.url
        settings.SIEM_SYSLOG = f"tcp://127.0.0.1:{receiver.port}"
        web.answers = [(500, {})]
        assert send(nudged) == 2
        assert [state.behind for state in receiver_states()] == [2, 0]
        assert send(nudged) == 2
    assert len(frames(receiver.arrived[0])) == 2
