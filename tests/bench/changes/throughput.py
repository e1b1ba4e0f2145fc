"""10,000 queued changes over 50 accounts through two workers, 50 ms an AWS call: how near it comes to calls x
50 ms / slots.

BENCH_CHANGES sets how many (10,000), BENCH_SLOTS the processes of each worker (2). Reads that a process sends
at once (`iam.aws.parallel_reads`) the floor does not count: see `tests.bench.onboarding.throughput`.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from typing import Any

from tests.bench.changes.site import Site, running, why_missing
from tests.bench.floor import figure
from tests.bench.proxy.process import control

CHANGES = int(os.environ.get("BENCH_CHANGES", "10000"))
ACCOUNTS = 50
WORKERS = 2
SLOTS = int(os.environ.get("BENCH_SLOTS", "2"))
LATENCY = 0.05
TIMEOUT_S = 3600


def run() -> list[dict[str, Any]]:
    """The figures."""
    if reason := why_missing():
        print(f"skipped: {CHANGES} changes through {WORKERS} workers ({reason})", file=sys.stderr)
        return []
    with running(
        accounts=ACCOUNTS,
        users=max(10, CHANGES // ACCOUNTS),
        groups=10,
        policies=10,
        concurrency=SLOTS,
        latency=LATENCY,
    ) as site:
        return _measured(site)


def _measured(site: Site) -> list[dict[str, Any]]:
    for number in range(WORKERS):
        site.start_worker(f"worker{number}")
    site.wait_for("worker0")
    before = _requests(site)
    queued = site.plant("queue", CHANGES, "membership", 1)
    _wait(site)
    plant = site.plant("standing")
    wall = (datetime.fromisoformat(plant["last"]) - datetime.fromisoformat(queued["began"])).total_seconds()
    requests = _requests(site) - before
    slots = WORKERS * SLOTS
    floor = requests * LATENCY / slots
    if plant["states"] != {"applied": CHANGES}:
        raise RuntimeError(f"not all were applied: {plant}")
    name = f"changes: {CHANGES:,} over {ACCOUNTS} accounts, {WORKERS} workers, {slots} slots"
    return [
        figure(f"{name}, wall", wall, "s"),
        figure(
            f"{name}, share of the floor", floor / wall, "", floor="calls x 50 ms / slots", ratio=floor / wall
        ),
        figure("changes: calls to AWS for a simple one", requests / CHANGES, "calls", limit=5.1),
    ]


def _requests(site: Site) -> int:
    return sum(control(site.proxy, "stats")["requests"].values())


def _wait(site: Site) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while site.left():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{site.left()} changes have not ended after {TIMEOUT_S} s")
        time.sleep(0.5)


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<80} {row['value']:>9} {row['unit']:<5} {row['ratio'] or ''}")
