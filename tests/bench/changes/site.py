"""A site of its own for a measurement: PostgreSQL, Redis, stand-in, proxy, Celery workers and beat, all on
this machine, all stopped at the end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.demo.broker import answers, free_port, server_program
from tests.bench.changes.organisation import HUB_KEY
from tests.bench.changes.standin import in_process as standin_in_process
from tests.bench.proxy.process import in_process as proxy_in_process
from tests.services import postgres, redis


@dataclass(slots=True)
class Broker:
    """A Redis that can be emptied, killed, and started again at the same address."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty."""
        program = server_program()
        assert program is not None
        words = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self.process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not answers(self.port):
            if time.monotonic() > deadline:
                raise RuntimeError("Redis did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once; all that it held is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None


@dataclass(slots=True)
class Site:
    """What runs, and the variables by which Gatehouse finds it."""

    variables: dict[str, str]
    proxy: str
    standin: str
    log: Path
    broker: Broker
    cluster: postgres.Cluster
    concurrency: int
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    output: Path = Path(os.devnull)

    def plant(
        self,
        step: str,
        *words: object,
        through_proxy: bool = False,
        module: str = "tests.bench.changes.plant",
    ) -> dict[str, Any]:
        """One step of `plant`, or of another module of steps; what it printed. It reaches AWS past the proxy
        unless told.
        """
        address = self.proxy if through_proxy else self.standin
        done = subprocess.run(
            [sys.executable, "-m", module, step, *map(str, words)],
            env=self.variables | {"AWS_ENDPOINT_URL": address},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            timeout=1800,
        )
        content: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return content

    def start_worker(self, name: str, *, clock: float = 0.0) -> None:
        """A worker as in production, or on a host whose clock is wrong by so many seconds."""
        words = ("worker", "--concurrency", str(self.concurrency), "-n", f"{name}@%h")
        self._celery(name, *words, clock=clock)

    def start_beat(self) -> None:
        """The clock, which only sends."""
        self._celery("beat", "beat", "--schedule", f"{self.variables['GATEHOUSE_VAR']}/beat", "--pidfile", "")

    def _celery(self, name: str, *words: str, clock: float = 0.0) -> None:
        program = ("tests.bench.changes.skewed", str(clock)) if clock else ("celery",)
        command = [
            sys.executable,
            "-m",
            *program,
            "--quiet",
            "-A",
            "console.celery",
            *words,
            "--loglevel",
            "ERROR",
        ]
        with self.output.open("ab") as output:
            # A group of its own, so that a kill ends the processes of its pool as well: a machine that is
            # gone.
            self.workers[name] = subprocess.Popen(
                command, env=self.variables, stdout=output, stderr=output, start_new_session=True
            )

    def kill_worker(self, name: str) -> None:
        """SIGKILL to a worker and all of its processes."""
        process = self.workers.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)

    def wait_for(self, name: str, seconds: float = 60) -> None:
        """Until a worker answers."""
        deadline = time.monotonic() + seconds
        command = [sys.executable, "-m", "celery", "-A", "console.celery", "inspect", "ping", "-t", "2"]
        while subprocess.run(command, env=self.variables, capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not answer: {self.output.read_text()[-2000:]}")

    def cut_database(self) -> int:
        """End every connection of Gatehouse to PostgreSQL; how many there were."""
        import psycopg

        with psycopg.connect(self.cluster.url, autocommit=True) as connection:
            killed = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
        return int(killed[0]) if killed else 0

    def left(self) -> int:
        """How many changes have not ended."""
        return self._count("changes_change WHERE state IN ('queued', 'applying', 'confirming')")

    def leaving(self) -> int:
        """How many people leave of whom nobody has proved yet that their access has ended."""
        return self._count("leaving_leaver WHERE stage <> 'gone'")

    def asked_for(self) -> int:
        """How many pulls that changes have asked for are not over."""
        return self._count("mirror_pull WHERE trigger = 'change' AND state IN ('queued', 'running')")

    def on_hold(self) -> int:
        """1 while changes wait for a person who decides about a restored backup, else 0."""
        return self._count("restore_hold WHERE is_open")

    def _count(self, rows: str) -> int:
        import psycopg

        with psycopg.connect(self.cluster.url, autocommit=True) as connection:
            counted = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()
        return int(counted[0]) if counted else 0

    def stop(self) -> None:
        """End what was started."""
        for process in self.workers.values():
            os.killpg(process.pid, signal.SIGTERM)
        for process in self.workers.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=10)
        self.workers.clear()


def why_missing() -> str:
    """Empty when all that is needed can be started, else the reason."""
    return postgres.why_missing() or redis.why_missing()


@contextmanager
def running(
    *,
    accounts: int,
    users: int,
    groups: int,
    policies: int,
    concurrency: int,
    latency: float = 0.0,
    rate: int = 1000,
    lease: int = 90,
    name: str = "changes",
    equipped: bool = False,
    database_in: Path | None = None,
) -> Iterator[Site]:
    """A site without workers yet; every account is connected and has been read. `equipped`: its users have
    every way to sign in. `database_in`: the folder in which PostgreSQL keeps its data.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"gatehouse-{name}-")))
        cluster = postgres.Cluster.start(database_in)
        stack.callback(cluster.stop)
        broker = Broker(folder)
        broker.start()
        stack.callback(broker.kill)
        address = stack.enter_context(
            standin_in_process(
                accounts=accounts, users=users, groups=groups, policies=policies, equipped=equipped
            )
        )
        log = folder / "writes.jsonl"
        proxy = stack.enter_context(proxy_in_process(address, latency=latency, log=log))
        site = Site(
            variables=_variables(proxy, cluster.url, broker.url, folder, rate=rate, lease=lease),
            proxy=proxy,
            standin=address,
            log=log,
            broker=broker,
            cluster=cluster,
            concurrency=concurrency,
            output=folder / "workers.log",
        )
        stack.callback(site.stop)
        site.plant("prepare", accounts)
        yield site


def _variables(
    address: str, database: str, broker: str, folder: Path, *, rate: int, lease: int
) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GATEHOUSE_"))},
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": HUB_KEY,
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "GATEHOUSE_MODE": "embedded",
        "GATEHOUSE_VAR": str(folder),
        "GATEHOUSE_PULL_MINUTES": "1440",
        "GATEHOUSE_DETAIL_CALLS": "0",
        "GATEHOUSE_AWS_RATE": str(rate),
        "GATEHOUSE_AWS_READS_AT_ONCE": os.environ.get("BENCH_READS_AT_ONCE", "4"),
        "GATEHOUSE_CHANGE_LEASE": str(lease),
        "DATABASE_URL": database,
        "REDIS_URL": broker,
    }
