"""Start the proxy for a test or a measurement, ask it, and stop it again."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def control(address: str, name: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask "stats", or set "faults"."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"{address}/_proxy/{name}", data=data, timeout=10) as answer:
        content: dict[str, Any] = json.loads(answer.read())
    return content


@contextmanager
def in_process(upstream: str, *, latency: float = 0.0, log: Path | None = None) -> Iterator[str]:
    """The address of a proxy in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.proxy", "--upstream", upstream, "--latency", str(latency)]
    command += ["--log", str(log)] if log else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address.startswith("http://"):
            raise RuntimeError("the proxy did not start")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()
