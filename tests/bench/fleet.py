"""A hundred large accounts through two Celery workers: whether the last ones cost what the first ones did, in
time and memory.

BENCH_ACCOUNTS sets how many (100); each has 5,000 users, 300 groups, 2,000 roles and 1,000 policies. Real
Redis, real PostgreSQL; the workers are started as in production, with one process each.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.fakeaws.accounts import account_id
from tests.bench.fakeaws.process import in_process
from tests.bench.floor import environment, figure
from tests.services import postgres, redis

ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "100"))
WORKERS = 2
SECONDS_AN_ACCOUNT = 30
Figures = list[dict[str, Any]]
Variables = dict[str, str]


@dataclass
class Round:
    """One pull of every account: how long all took, how long each took in order of beginning, and memory by
    process.
    """

    wall: float
    each: list[float]
    memory: dict[int, list[float]] = field(default_factory=dict)


def run() -> Figures:
    """First pulls of all accounts, then pulls that find nothing new."""
    if reason := postgres.why_missing() or redis.why_missing():
        print(f"skipped: many accounts through {WORKERS} workers ({reason})", file=sys.stderr)
        return []
    cluster = postgres.Cluster.start()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="gatehouse-fleet-") as folder,
            redis.running_server() as broker,
            in_process(accounts=ACCOUNTS) as address,
        ):
            variables = _variables(address, cluster.url, broker, folder)
            _manage(variables, "prepare")
            with _workers(variables) as workers:
                first = _round(variables, cluster.url, workers)
                again = _round(variables, cluster.url, workers)
    finally:
        cluster.stop()
    return [*_figures("first", first), *_figures("again", again), *_memory(first, again)]


def _variables(address: str, database: str, broker: str, folder: str) -> Variables:
    return {
        **os.environ,
        **environment(address),
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "GATEHOUSE_MODE": "embedded",
        "GATEHOUSE_VAR": folder,
        "GATEHOUSE_DETAIL_CALLS": "0",
        "DATABASE_URL": database,
        "REDIS_URL": broker,
    }


def _manage(variables: Variables, step: str) -> None:
    subprocess.run([sys.executable, "-m", "tests.bench.fleet", step], env=variables, check=True)


@contextmanager
def _workers(variables: Variables) -> Iterator[list[int]]:
    """The process ids of the workers; they are stopped at the end."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "--quiet",
        "-A",
        "console.celery",
        "worker",
        "--concurrency",
        "1",
    ]
    started = [
        subprocess.Popen([*command, "--loglevel", "ERROR", "-n", f"fleet{number}@%h"], env=variables)
        for number in range(WORKERS)
    ]
    try:
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=60)


def _round(variables: Variables, database: str, workers: list[int]) -> Round:
    """Queue a pull of every account, wait until all have ended, and look at the workers' memory meanwhile."""
    import psycopg

    memory: dict[int, list[float]] = defaultdict(list)
    with psycopg.connect(database, autocommit=True) as connection:
        mark = connection.execute("SELECT now()").fetchone()
        _manage(variables, "queue")
        deadline = time.monotonic() + SECONDS_AN_ACCOUNT * ACCOUNTS
        while True:
            for pid, megabytes in _resident(workers):
                memory[pid].append(megabytes)
            pulls = connection.execute(
                "SELECT state, extract(epoch FROM began_at)::float8, extract(epoch FROM ended_at)::float8, "
                "message"
                " FROM mirror_pull WHERE created_at > %s ORDER BY began_at",
                mark,
            ).fetchall()
            if len(pulls) == ACCOUNTS and all(ended for _, _, ended, _ in pulls):
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"the fleet was not read in {SECONDS_AN_ACCOUNT * ACCOUNTS} s")
            time.sleep(0.5)
    if failed := [message for state, _, _, message in pulls if state not in ("complete", "partial")]:
        raise RuntimeError(f"{len(failed)} pulls failed: {failed[0]}")
    wall = max(ended for _, _, ended, _ in pulls) - min(begun for _, begun, _, _ in pulls)
    return Round(wall, [ended - begun for _, begun, ended, _ in pulls], dict(memory))


def _resident(workers: list[int]) -> Iterator[tuple[int, float]]:
    """(process id, resident megabytes) of the processes that carry out tasks: the children of the workers."""
    for worker in workers:
        children = Path(f"/proc/{worker}/task/{worker}/children").read_text(encoding="ascii").split()
        for child in children:
            status = Path(f"/proc/{child}/status").read_text(encoding="ascii")
            line = next(text for text in status.splitlines() if text.startswith("VmRSS"))
            yield int(child), int(line.split()[1]) / 1024


def _figures(name: str, figures_of_round: Round) -> Figures:
    quarter = max(1, len(figures_of_round.each) // 4)
    early, late = (
        statistics.mean(figures_of_round.each[:quarter]),
        statistics.mean(figures_of_round.each[-quarter:]),
    )
    return [
        figure(
            f"fleet: {name} pull of {ACCOUNTS} large accounts, {WORKERS} workers, wall",
            figures_of_round.wall,
            "s",
        ),
        figure(f"fleet: {name} pull, an account of the first quarter", early, "s"),
        figure(
            f"fleet: {name} pull, an account of the last quarter",
            late,
            "s",
            floor="of the first quarter",
            ratio=late / early,
            limit=1.3,
        ),
    ]


def _memory(first: Round, again: Round) -> Figures:
    """The highest of each quarter of the time, of the process that grew most."""
    growth, peak = 0.0, 0.0
    for samples in (samples for each_round in (first, again) for samples in each_round.memory.values()):
        quarter = max(1, len(samples) // 4)
        peak = max(peak, *samples)
        growth = max(growth, max(samples[-quarter:]) - max(samples[quarter : 2 * quarter] or samples))
    return [
        figure("fleet: a worker process's memory, at most", peak, "MB"),
        figure("fleet: its growth from the second quarter to the last", growth, "MB", limit=20),
    ]


def prepare() -> None:
    """Make the tables and connect the accounts."""
    from django.core.management import call_command

    from iam.mirror.models import Account

    call_command("migrate", verbosity=0)
    names = [account_id(number) for number in range(ACCOUNTS)]
    Account.objects.bulk_create(
        Account(
            account_id=name,
            name=f"account {number}",
            source="role",
            role_arn=f"arn:aws:iam::{name}:role/gatehouse-read",
            external_id="gatehouse-fleet",
        )
        for number, name in enumerate(names)
    )


def queue() -> None:
    """Ask for a pull of every account, as the schedule does."""
    from iam.mirror.models import Account
    from iam.mirror.services import request_pull

    for account in Account.objects.order_by("id"):
        request_pull(account, trigger="schedule")


if __name__ == "__main__":
    if sys.argv[1:]:
        import django

        django.setup()
        {"prepare": prepare, "queue": queue}[sys.argv[1]]()
    else:
        for row in run():
            print(f"{row['name']:<70} {row['value']:>9} {row['unit']:<5} {row['ratio'] or ''}")
