"""Many large accounts through two workers: whether the last ones cost what the first ones did, in time and in memory.

BENCH_ACCOUNTS sets how many (100); each has 5,000 users, 300 groups, 2,000 roles and 1,000 policies.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.fakeaws.accounts import account_id
from tests.bench.fakeaws.running import in_process
from tests.bench.floor import environment, figure
from tests.services import postgres

ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "100"))
WORKERS = 2
Figures = list[dict[str, Any]]
Pulls = list[dict[str, float]]


def run() -> Figures:
    """Queue a pull of every account and let the workers take them one after the other, as Celery would."""
    cluster = None if postgres.why_missing() else postgres.Cluster.start()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="gatehouse-fleet-") as folder,
            in_process(accounts=ACCOUNTS) as address,
        ):
            url = cluster.url if cluster else f"sqlite:///{folder}/fleet.sqlite3"
            return _figures(*_measure(address, url, folder))
    finally:
        if cluster:
            cluster.stop()


def _measure(address: str, url: str, folder: str) -> tuple[float, list[Pulls]]:
    variables = {
        **os.environ,
        **environment(address),
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "GATEHOUSE_MODE": "embedded",
        "GATEHOUSE_VAR": folder,
        "GATEHOUSE_AWS_RATE": "1000",
        "GATEHOUSE_DETAIL_CALLS": "0",
        "DATABASE_URL": url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "-m", "tests.bench.fleet"]
    subprocess.run([*command, "prepare"], env=variables, check=True)
    begun = time.perf_counter()
    workers = [
        subprocess.Popen([*command, "work"], env=variables, stdout=subprocess.PIPE, text=True)
        for _ in range(WORKERS)
    ]
    answers = [worker.communicate()[0] for worker in workers]
    if any(worker.returncode for worker in workers):
        raise RuntimeError("a worker of the fleet failed")
    return time.perf_counter() - begun, [json.loads(answer.splitlines()[-1]) for answer in answers]


def _figures(wall: float, workers: list[Pulls]) -> Figures:
    pulls = sorted((pull for worker in workers for pull in worker), key=lambda pull: pull["ended"])
    assert len(pulls) == ACCOUNTS
    part = max(1, len(pulls) // 4)
    early = statistics.mean(pull["wall"] for pull in pulls[:part])
    late = statistics.mean(pull["wall"] for pull in pulls[-part:])
    growth = max(worker[-1]["rss_mb"] - worker[len(worker) // 2]["rss_mb"] for worker in workers if worker)
    return [
        figure(f"fleet: {ACCOUNTS} large accounts through {WORKERS} workers, wall", wall, "s"),
        figure("fleet: an account of the first quarter", early, "s"),
        figure(
            "fleet: an account of the last quarter",
            late,
            "s",
            floor="of the first quarter",
            ratio=late / early,
            limit=1.3,
        ),
        figure("fleet: a worker's memory, at most", max(p["rss_mb"] for p in pulls), "MB"),
        figure("fleet: growth of a worker's memory in the second half", growth, "MB", limit=20),
    ]


def prepare() -> None:
    """Migrate, connect the accounts, and queue their pulls."""
    import django

    django.setup()
    from django.core.management import call_command

    from iam.mirror.models import Account
    from iam.mirror.services import request_pull

    call_command("migrate", verbosity=0)
    for number in range(ACCOUNTS):
        name = account_id(number)
        account = Account.objects.create(
            account_id=name,
            name=f"account {number}",
            source="role",
            role_arn=f"arn:aws:iam::{name}:role/gatehouse-read",
            external_id="gatehouse-fleet",
        )
        request_pull(account, trigger="command")


def work() -> Pulls:
    """Take the oldest queued pull until there is none."""
    import django

    django.setup()
    from iam.mirror.models import Pull
    from iam.mirror.services import run_pull

    pulls: Pulls = []
    while True:
        queued = Pull.objects.filter(state="queued").order_by("created_at").values_list("pk", flat=True)
        pk = queued[os.getpid() % 2 :].first() or queued.first()
        if pk is None:
            return pulls
        begun = time.perf_counter()
        pull = run_pull(pk)
        if pull.state == "running":
            continue
        if pull.state not in ("complete", "partial"):
            raise RuntimeError(pull.message)
        pulls.append({"wall": time.perf_counter() - begun, "ended": time.time(), "rss_mb": _rss_mb()})


def _rss_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    if sys.argv[1:] == ["prepare"]:
        prepare()
    elif sys.argv[1:] == ["work"]:
        print(json.dumps(work()))
    else:
        for found in run():
            print(f"{found['name']:<70} {found['value']:>9} {found['unit']:<5} {found['ratio'] or ''}")
