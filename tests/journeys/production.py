"""Gatehouse in production mode, set up by the very commands of `docs/operate.md`, over a real PostgreSQL,
Redis and AWS stand-in.
"""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psycopg

from console.demo.broker import answers, free_port
from console.demo.standin.hub import HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "gatehouse.example.com"
BIN = Path(sys.executable).parent
"""What systemd and containers give a process is 90 and 10 seconds; a worker ends what it is at first."""
IDLE_SECONDS = 5
EVERY = ("PATH", "LANG", "TMPDIR")
"""What a process manager hands to any process; nothing of the tests' own environment."""


def documented(*words: str) -> list[str]:
    """The one command of the guide with all of these words."""
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    # What containers run is the same once more: see tests/test_containers.py.
    before, _, rest = guide.partition("\n## With containers\n")
    lines = (before + rest[rest.index("\n## ") :]).split("```")[1::2]
    commands = [line.partition("      #")[0] for block in lines for line in block.strip().splitlines()]
    matching = [shlex.split(command) for command in commands if all(w in shlex.split(command) for w in words)]
    assert len(matching) == 1, f"{words}: {matching}"
    return matching[0]


@dataclass(slots=True)
class Installation:
    """One installation: its folder, its environment, and the processes that were started."""

    folder: Path
    database_url: str
    redis_url: str
    aws_port: int
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The documented variables that production needs."""
        return {name: os.environ[name] for name in EVERY if name in os.environ} | {
            "HOME": str(self.folder),
            "GATEHOUSE_MODE": "production",
            "GATEHOUSE_SECRET_KEY": "of-this-installation-of-this-installation-of-this-installation-7x",
            "GATEHOUSE_SEALED_KEY": "for-what-is-sealed-in-this-installation-only-for-that-only-5z",
            "GATEHOUSE_ALLOWED_HOSTS": HOST,
            "GATEHOUSE_BASE_URL": f"https://{HOST}",
            "GATEHOUSE_VAR": str(self.folder / "var"),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            # Granian ends threads that are idle for 30 seconds; a test has not so much time.
            "GRANIAN_BLOCKING_THREADS_IDLE_TIMEOUT": str(IDLE_SECONDS),
        }

    @property
    def aws(self) -> dict[str, str]:
        """What workers and commands that read AWS get besides."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.aws_port}",
            "AWS_ACCESS_KEY_ID": HUB_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": HUB_SECRET_ACCESS_KEY,
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def command(self, *words: str, **instead: str) -> list[str]:
        """A command of the guide, for this machine: where programs, port and folder are, and what else is to
        differ.
        """
        here = instead | {
            ".venv/bin": str(BIN),
            "/var/lib/gatehouse": str(self.folder / "var"),
            "8000": str(self.port),
        }
        words_documented = documented(*words)
        for there, ours in here.items():
            words_documented = [word.replace(there, ours) for word in words_documented]
        return words_documented

    def begin(self, *words: str, aws: bool = False, **instead: str) -> subprocess.Popen[str]:
        """Start a command that ends by itself."""
        return self.start_any(self.command(*words, **instead), aws=aws)

    def start_any(self, command: list[str], *, aws: bool = False, **more: str) -> subprocess.Popen[str]:
        """Start any command in the environment of the installation, with or without AWS, one variable or
        others.
        """
        environment = self.environment | (self.aws if aws else {}) | more
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words: str, aws: bool = False, **instead: str) -> subprocess.CompletedProcess[str]:
        """Carry out a command of the guide."""
        return done(self.begin(*words, aws=aws, **instead))

    def start(self, name: str, *words: str, aws: bool = False, **instead: str) -> None:
        """Start a process that stays; the database is told its name."""
        own = {"DATABASE_URL": f"{self.database_url}&application_name={name}"}
        with self.log(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                self.command(*words, **instead),
                cwd=ROOT,
                env=self.environment | own | (self.aws if aws else {}) | {"PYTHONFAULTHANDLER": "1"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        """Where a process that stays writes to."""
        return self.folder / f"{name}.log"

    def logs(self) -> str:
        """What those processes wrote, for a test that fails."""
        return "\n".join(f"== {name}\n{self.log(name).read_text()[-2000:]}" for name in self.processes)

    def stop(self) -> dict[str, int]:
        """Stop what was started as a process manager does, and give the exit codes; what does not end in time
        writes into its log where it stands, and is killed.
        """
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        codes: dict[str, int] = {}
        for name, process in self.processes.items():
            try:
                codes[name] = process.wait(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGABRT)
                time.sleep(1)
                os.killpg(process.pid, signal.SIGKILL)
                codes[name] = process.wait()
        self.processes.clear()
        return codes

    def rows(self, query: str) -> list[Any]:
        """What a query finds in the installation's database."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def is_serving(self) -> bool:
        """Whether the web server answers."""
        try:
            return self.ask("/healthz").status == 200
        except OSError:
            return False

    def ask(self, path: str, *, method: str = "GET", secure: bool = True, **headers: str) -> Answer:
        """One request as the documented proxy passes it on; not secure is what came by plain HTTP."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        forwarded = {
            "Host": HOST,
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Proto": "https" if secure else "http",
        }
        connection.request(
            method, path, headers=forwarded | {k.replace("_", "-"): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Answer(answer.status, answer.headers, body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def done(process: subprocess.Popen[str], *, seconds: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
    """Wait for the end of a command, which must come."""
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        process.kill()
        process.wait()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def running_stand_in(log: IO[bytes]) -> Iterator[int]:
    """The port of an AWS stand-in with the sample organisation."""
    port = free_port()
    command = [sys.executable, "-m", "console.demo.standin", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not answers(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)
