"""500 people onboarded in one run through two workers, 50 ms an AWS call: how near it comes to calls x 50 ms
/ slots.

Each gets a user, a membership and a temporary password, joins the directory, and is invited. BENCH_PEOPLE
sets how many (500), BENCH_SLOTS the processes of each worker (2). A process sends up to four reads at once
(`iam.aws.parallel_reads`), which the floor does not count: with BENCH_READS_AT_ONCE=1 it sends one after the
other, and nothing can be faster than the floor.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from functools import partial
from typing import Any, Final

from tests.bench.changes.site import Site, running, why_missing
from tests.bench.floor import figure
from tests.bench.proxy.process import control

PEOPLE: Final = int(os.environ.get("BENCH_PEOPLE", "500"))
SLOTS: Final = int(os.environ.get("BENCH_SLOTS", "2"))
WORKERS: Final = 2
LATENCY: Final = 0.05
TIMEOUT_S: Final = 1200
PLANT: Final = "tests.bench.onboarding.plant"


def run() -> list[dict[str, Any]]:
    """The figures."""
    if reason := why_missing():
        print(f"skipped: {PEOPLE} people through {WORKERS} workers ({reason})", file=sys.stderr)
        return []
    with running(
        accounts=1, users=50, groups=5, policies=5, concurrency=SLOTS, latency=LATENCY, name="onboarding"
    ) as site:
        return _measured(site)


def _measured(site: Site) -> list[dict[str, Any]]:
    step = partial(site.plant, module=PLANT)
    asked = step("ask", PEOPLE)
    waiting = step("pages")
    for number in range(WORKERS):
        site.start_worker(f"worker{number}")
    site.wait_for("worker0")
    before = _requests(site)
    approved = step("approve")
    wait(site)
    state, live = step("standing"), step("pages")
    if state["whole"] != PEOPLE or state["run"] != "done":
        raise RuntimeError(f"not everybody was made: {state}")
    wall = (datetime.fromisoformat(state["last"]) - datetime.fromisoformat(approved["began"])).total_seconds()
    requests = _requests(site) - before
    floor = requests * LATENCY / (WORKERS * SLOTS)
    print(f"onboarding: {asked} {approved} {state} {waiting} {live}", file=sys.stderr)
    name = (
        f"onboarding: {PEOPLE} people, {asked['steps']:,} steps, {WORKERS} workers, {WORKERS * SLOTS} slots"
    )
    words = f"onboarding: {PEOPLE} people,"
    return [
        figure(f"{name}, wall", wall, "s"),
        figure(
            f"{name}, share of the floor", floor / wall, "", floor="calls x 50 ms / slots", ratio=floor / wall
        ),
        figure("onboarding: calls to AWS for each person", requests / PEOPLE, "calls"),
        figure(f"{words} approvals", asked["approvals"], "", limit=1),
        figure(f"{words} checked and submitted", asked["took"]["check"] + asked["took"]["submit"], "s"),
        figure(f"{words} asked for by a worker", asked["took"].get("ask", 0.0), "s"),
        figure(f"{words} the last agreement", approved["took"][-1], "s"),
        figure(f"{words} page of the approval", waiting["approval"][0], "s"),
        figure(f"{words} live page", live["live, again"][0], "s"),
    ]


def _requests(site: Site) -> int:
    return sum(control(site.proxy, "stats")["requests"].values())


def wait(site: Site, *, longest: float = TIMEOUT_S) -> None:
    """Until every change has ended. Raises RuntimeError after so many seconds."""
    deadline = time.monotonic() + longest
    while site.left():
        if time.monotonic() > deadline:
            plant = site.plant("under_way", module=PLANT)
            raise RuntimeError(f"{site.left()} changes have not ended after {longest} s: {plant}")
        time.sleep(0.5)


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<90} {row['value']:>9} {row['unit']:<5} {row['ratio'] or ''}")
