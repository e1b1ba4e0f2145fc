"""`make audit` names packages with known vulnerabilities, and says what it skips without network."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests import advisories
from tests.patience import PATIENCE_S

VULNERABLE = "django"


class Source(BaseHTTPRequestHandler):
    """Answers as osv.dev does."""

    def do_POST(self) -> None:
        """One answer for each question."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        answers = [
            {"vulns": [{"id": "GHSA-test"}]} if query["package"]["name"].lower() == VULNERABLE else {}
            for query in asked
        ]
        body = json.dumps({"results": answers}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A source of advisories on this machine."""
    server = HTTPServer(("127.0.0.1", 0), Source)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    monkeypatch.setattr(advisories, "SOURCE", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE_S)


def test_every_locked_package_is_asked_for() -> None:
    names = {name.lower() for name, _ in advisories.locked()}
    assert {"django", "celery", "cryptography", "boto3", "pytest"} <= names
    assert len(names) > 80


def test_a_vulnerable_package_is_named_and_fails(source: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert advisories.main() == 1
    assert "GHSA-test" in capsys.readouterr().out


def test_without_network_it_says_what_it_skips(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(advisories, "SOURCE", "http://127.0.0.1:1")
    assert advisories.main() == 0
    assert "packages were not checked" in capsys.readouterr().out
