"""Pages of a large organization over HTTP: first answers after a restart, warm answers, waiting, throughput
and memory.

100,000 users and 20,000 roles in 50 accounts (BENCH_USERS and BENCH_PAGE_ACCOUNTS set others), PostgreSQL,
Redis, and two web processes started as in production. No worker runs beside them. What a worker calculates
(escalation, services, the fleet) is calculated once after seeding, by the functions of its tasks, as it is
there in a real installation; after the write of one user it is calculated again.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from console.demo.broker import free_port
from tests.bench.floor import figure
from tests.services import postgres, redis

USERS: Final = int(os.environ.get("BENCH_USERS", "100000"))
ACCOUNTS: Final = int(os.environ.get("BENCH_PAGE_ACCOUNTS", "50"))
SIZE: Final = f"{USERS:,} users"
IS_LARGE: Final = USERS > 500_000
KEPT: Final = Path(os.environ["BENCH_KEEP"]) if os.environ.get("BENCH_KEEP") else None
"""Here the seeded data stay, for another run; without it they are removed."""
ROUNDS: Final = 15
TIMEOUT_S: Final = 600
LOADS, LOAD_SECONDS, CLIENTS = 5, 8, 4
PEOPLE: Final = 60
"""So many users belong to people of the directory."""
MANY: Final = "/access/who-can/?action=iam:*&resource=*"
ROLE: Final = (
    f"/access/who-can/?action=sts:AssumeRole&resource={quote('arn:aws:iam::100000000003:role/app/reader-20')}"
)
ONE: Final = f"/access/who-can/?action=s3:GetObject&resource={quote('arn:aws:s3:::shared-data/x')}"
COLD: Final = {
    "who can": ONE,
    "services": "/services/",
    "MFA": "/mfa/",
    "escalation": "/escalation/",
    "overview": "/",
}
Figures = list[dict[str, Any]]


def run() -> Figures:
    """All figures, or none where a service is missing."""
    if is_missing():
        return []
    with seeded_installation() as (variables, seeded):
        figures = _calculated(step(variables, "calculate"), "first calculation by a worker")
        return figures + _measure(variables, seeded)


def questions() -> Figures:
    """First answers, who can, lists, and the memory; after what a worker calculates, which a former run may
    have done.
    """
    if is_missing():
        return []
    with seeded_installation() as (variables, seeded):
        figures = _calculated(step(variables, "calculate"), "calculation by a worker")
        figures += _cold(variables, seeded["cookie"], COLD)
        with serving(variables, seeded["cookie"]) as site:
            asked = {"who can": ONE, "who can assume a role": ROLE, "who can do iam:*": MANY}
            lists = {name: seeded["pages"][name] for name in ("people", "roles")}
            lists |= {name: address for name, address in COLD.items() if name not in asked}
            for name, address in {**asked, **lists}.items():
                limit = 50 if name in lists else None
                figures.append(_ms(f"{name}, first answer", site.took(address), None))
                figures.append(_ms(f"{name}, median", site.median(address), limit))
            figures.append(_memory(site))
        return figures


def is_missing() -> bool:
    """Whether a service is missing, which is printed."""
    reason = postgres.why_missing() or redis.why_missing()
    if reason:
        print(f"skipped: pages over HTTP ({reason})", file=sys.stderr)
    return bool(reason)


@contextmanager
def seeded_installation() -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Services with the organization in them: the variables of its processes, and what seeding told."""
    with _folder() as folder, redis.running_server() as broker:
        remembered = folder / "seeded.json"
        cluster = _cluster(folder)
        try:
            variables = {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "console.settings",
                "GATEHOUSE_MODE": "embedded",
                "GATEHOUSE_VAR": str(folder),
                # One session asks as many questions as hundreds of people.
                "GATEHOUSE_PACE": "0",
                # The session must outlast a calculation.
                "GATEHOUSE_IDLE_MINUTES": "1440",
                "DATABASE_URL": cluster.url,
                "REDIS_URL": broker,
            }
            if not remembered.exists():
                remembered.write_text(json.dumps(step(variables, "seed")), encoding="utf-8")
            # A session of a former run may have ended since.
            yield variables, json.loads(remembered.read_text(encoding="utf-8")) | step(variables, "sign_in")
        finally:
            if KEPT:
                cluster.halt()
            else:
                cluster.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    """The folder for all data."""
    if KEPT:
        KEPT.mkdir(parents=True, exist_ok=True)
        yield KEPT
        return
    with tempfile.TemporaryDirectory(prefix="gatehouse-pages-") as folder:
        yield Path(folder)


def _cluster(folder: Path) -> postgres.Cluster:
    """The database that a former run has kept, or a new one."""
    if KEPT is None:
        return postgres.Cluster.start()
    file = folder / "cluster"
    if file.exists():
        programs = postgres.binaries()
        assert programs is not None
        cluster = postgres.Cluster(Path(file.read_text(encoding="utf-8")), programs)
        cluster.resume()
        return cluster
    cluster = postgres.Cluster.start()
    file.write_text(str(cluster.folder), encoding="utf-8")
    return cluster


def step(variables: dict[str, str], name: str) -> dict[str, Any]:
    """Carry out a step of this module in a process with these variables; what it prints last."""
    command = [sys.executable, "-m", "tests.bench.pages", name]
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _calculated(took: dict[str, Any], words: str) -> Figures:
    """What a worker took."""
    return [
        figure(f"pages, {SIZE}: {words}: escalation and services", took["escalation"], "s"),
        figure(f"pages, {SIZE}: {words}: fleet", took["fleet"], "s"),
        figure(f"pages, {SIZE}: {words}: principals that can become administrator", took["findings"], ""),
        figure(f"pages, {SIZE}: {words}: memory of the worker", took["megabytes"], "MB"),
    ]


def _measure(variables: dict[str, str], seeded: dict[str, Any]) -> Figures:
    figures = _cold(variables, seeded["cookie"], COLD)
    with serving(variables, seeded["cookie"]) as site:
        for address in COLD.values():
            site.took(address)
        pages = {**seeded["pages"], **COLD}
        for name, address in pages.items():
            site.took(address)
            limit = 100 if name == "who can" else 50
            figures.append(_ms(f"{name}, median", site.median(address), limit))
        figures += _after_a_write(site, variables)
        figures += _waiting(site)
        figures.append(
            figure(f"pages, {SIZE}: overviews a second", site.throughput("/"), "1/s") | {"least": 100}
        )
        figures.append(_memory(site))
    return figures


def _cold(variables: dict[str, str], cookie: str, pages: dict[str, str]) -> Figures:
    """First answers, each of a server that was just started."""
    figures: Figures = []
    limit = 3000 if IS_LARGE else 1000
    for name, address in pages.items():
        with serving(variables, cookie) as site:
            milliseconds = site.took(address)
            since_start = time.perf_counter() - site.began
            figures += [
                _ms(f"first answer after a restart: {name}", milliseconds, limit),
                figure(f"pages, {SIZE}: the same, from the start of the server: {name}", since_start, "s"),
            ]
    return figures


def _memory(site: Site) -> dict[str, Any]:
    limit = 1000 if IS_LARGE else 250
    return figure(f"pages, {SIZE}: memory of a web process", site.memory(), "MB", limit=limit)


def _ms(name: str, value: float, limit: float | None) -> dict[str, Any]:
    return figure(f"pages, {SIZE}: {name}", value, "ms", limit=limit)


def _after_a_write(site: Site, variables: dict[str, str]) -> Figures:
    step(variables, "write")
    at_once = [
        _ms("escalation, first answer after one write", site.took(COLD["escalation"]), 1000),
        _ms("who can, first answer after one write", site.took(ONE), 200),
    ]
    step(variables, "calculate")
    return [
        *at_once,
        _ms("escalation, first answer after the next calculation", site.took(COLD["escalation"]), 1000),
    ]


def _waiting(site: Site) -> Figures:
    """How long a small question takes while somebody else asks a large one."""
    alone = site.median(ONE)
    took: list[float] = []
    large = threading.Thread(target=lambda: took.append(site.took(MANY)))
    large.start()
    waited = []
    while large.is_alive():
        waited.append(site.took(ONE))
    return [
        _ms("who can do iam:*", took[0], 10_000),
        _ms("who can, at most, while another asks about iam:*", max(waited, default=alone), alone + 200),
    ]


@dataclass(frozen=True, slots=True)
class Site:
    """A running web server, and the session of an auditor."""

    port: int
    pid: int
    cookie: str
    began: float
    """When it was started, by `time.perf_counter`."""

    def took(self, address: str) -> float:
        """Milliseconds of a request over a connection that is open already."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        connection.connect()
        try:
            return self.on(connection, address)
        finally:
            connection.close()

    def on(self, connection: http.client.HTTPConnection, address: str) -> float:
        """Milliseconds of a request over a connection; the answer must be a success."""
        began = time.perf_counter()
        connection.request("GET", address, headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        body = answer.read()
        milliseconds = (time.perf_counter() - began) * 1000
        assert answer.status == 200, (address, answer.status, answer.headers.get("Location"), body[:300])
        return milliseconds

    def median(self, address: str) -> float:
        """The median of some requests, one after another over one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            # Both processes get to answer once before.
            for _ in range(2):
                self.took(address)
            return statistics.median(self.on(connection, address) for _ in range(ROUNDS))
        finally:
            connection.close()

    def throughput(self, address: str) -> float:
        """Answers a second to several clients at once: the median of some loads."""
        return statistics.median(self._load(address) for _ in range(LOADS))

    def _load(self, address: str) -> float:
        counts: list[int] = []
        end = time.monotonic() + LOAD_SECONDS

        def client() -> None:
            connection, count = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S), 0
            while time.monotonic() < end:
                self.on(connection, address)
                count += 1
            connection.close()
            counts.append(count)

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / LOAD_SECONDS

    def memory(self) -> float:
        """Megabytes of the largest web process, its share of what processes share included."""
        sizes = []
        for pid in _children(self.pid):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            sizes.append(next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024)
        return max(sizes)


def _children(pid: int) -> list[int]:
    """The processes that granian started, of which those that answer are the largest."""
    child_ids = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child_id) for child_id in child_ids]


@contextmanager
def serving(variables: dict[str, str], cookie: str) -> Iterator[Site]:
    """Two web processes as the guide starts them, just started."""
    port = free_port()
    command = [sys.executable, "-m", "console.server", "--workers", "2"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-ws", "--log-level", "warning"]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=variables)
    try:
        site = Site(port, process.pid, cookie, began)
        _wait(lambda: _is_serving(port))
        yield site
    finally:
        process.terminate()
        process.wait(timeout=60)


def _is_serving(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _wait(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def main(name: str) -> None:
    """One step, in this process."""
    if name == "questions":
        print(json.dumps(questions()))
        return
    import django

    django.setup()
    from tests.bench import pages_seed

    commands = {
        "seed": lambda: pages_seed.seed(accounts=ACCOUNTS, users=USERS, people=PEOPLE),
        "sign_in": pages_seed.sign_in,
        "calculate": pages_seed.calculate,
        "write": pages_seed.write,
    }[name]()
    print(json.dumps(commands))


if __name__ == "__main__":
    if sys.argv[1:]:
        main(sys.argv[1])
    else:
        for row in run():
            print(f"{row['name']:<80} {row['value']:>10} {row['unit']}")
