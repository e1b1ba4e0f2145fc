"""A Redis server for tests: on a port of its own, in a folder of its own, stopped at the end."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from console.demo.broker import answers, free_port, server_program
from tests.patience import PATIENCE_S


def why_missing() -> str:
    """Empty when a server can be started, else the reason."""
    return "" if server_program() else "no redis-server and no Valkey wheel; install the package redis-server"


@contextmanager
def running_server() -> Iterator[str]:
    """The address of a fresh, empty server."""
    program, port = server_program(), free_port()
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="gatehouse-redis-") as folder:
        process = subprocess.Popen(
            [
                program,
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                folder,
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not answers(port):
                assert time.monotonic() < deadline, "Redis did not start"
                time.sleep(0.02)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)
