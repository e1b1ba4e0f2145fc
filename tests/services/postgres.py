"""A throw-away PostgreSQL cluster on a Unix socket: up in under a second, gone at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

OPTIONS = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses='' -c "
    "max_connections=60"
)


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl: from PATH, pg_config, or Debian's versioned folder."""
    initdb = shutil.which("initdb")
    if initdb:
        return Path(initdb).resolve().parent
    config = shutil.which("pg_config")
    if config:
        path = Path(
            subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        )
        if (path / "initdb").exists():
            return path
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return versions[-1].parent if versions else None


def why_missing() -> str:
    """Empty when a cluster can be started, else the reason."""
    if binaries() is None:
        return "no initdb found; install the package postgresql"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "initdb refuses root, and there is no runuser"
    return ""


def _as_server(command: list[str]) -> list[str]:
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


def run_client(program: str, *arguments: str) -> None:
    """Run a program that comes with the server, and connects to it by itself."""
    programs = binaries()
    assert programs is not None
    subprocess.run([str(programs / program), *arguments], check=True)


@dataclass(slots=True)
class Cluster:
    """A running cluster."""

    folder: Path
    programs: Path

    @classmethod
    def start(cls, parent: Path | None = None) -> Cluster:
        """Create and start a cluster with one superuser, `gatehouse`, and one database of that name; its data
        lie in `parent`.
        """
        folder, programs = Path(tempfile.mkdtemp(prefix="gatehouse-pg-", dir=parent)), binaries()
        assert programs is not None
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        self = cls(folder, programs)
        self._run(
            "initdb", "-D", str(data), "-U", "gatehouse", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"
        )
        self._start()
        self._run("createdb", "-h", str(folder), "-U", "gatehouse", "gatehouse")
        return self

    @property
    def url(self) -> str:
        """The address for DATABASE_URL."""
        return f"postgres://gatehouse@/gatehouse?host={quote(str(self.folder), safe='')}"

    def answers(self) -> bool:
        """True if the server runs and takes connections."""
        command = [str(self.programs / "pg_isready"), "-h", str(self.folder), "-t", "2"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def halt(self) -> None:
        """Stop the server as a restart does, and keep its data."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "fast", "stop")

    def resume(self) -> None:
        """Start the server again over the same data."""
        self._start()

    def _start(self) -> None:
        log, options = str(self.folder / "log"), f"{OPTIONS} -k {self.folder}"
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", log, "-o", options, "start")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            _as_server([str(self.programs / program), *arguments]),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.folder,
        )

    def stop(self) -> None:
        """Stop at once and remove every trace."""
        subprocess.run(
            _as_server(
                [str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop"]
            ),
            check=False,
            capture_output=True,
            cwd="/",
        )
        shutil.rmtree(self.folder, ignore_errors=True)
