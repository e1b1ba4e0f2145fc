"""The AWS stand-in as a process of its own, and what the tests ask of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.demo.broker import free_port
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Standin:
    """A running stand-in."""

    url: str

    def control(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask a control endpoint; with a body it is a POST."""
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(f"{self.url}/_standin/{path}", data=data, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())

    def calls(self, action: str) -> int:
        """How often an action has been asked for since the counters were cleared."""
        return self.control("stats")["by_action"].get(action, 0)

    @property
    def hub(self) -> str:
        """The number of the account that the worker's own credentials belong to."""
        return self.control("health")["hub"]


@contextmanager
def running(state: Path) -> Iterator[Standin]:
    """Start on a free port, and stop at the end."""
    port = free_port()
    command = [sys.executable, "-m", "console.demo.standin", "--port", str(port), "--state", str(state)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    started = Standin(f"http://127.0.0.1:{port}")
    try:
        _wait(started, process)
        yield started
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def _wait(started: Standin, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, "the stand-in ended at once"
        try:
            started.control("health")
        except OSError:
            assert time.monotonic() < deadline, "the stand-in does not answer"
            time.sleep(0.05)
        else:
            return
