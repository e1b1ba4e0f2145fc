"""Workers are killed, AWS throttles and fails, Redis and the database break off while people are onboarded:
nobody is lost, nobody made twice.

What failed or ended unknown is tried again afterwards, as a person would; then everybody is whole.
BENCH_PEOPLE sets how many (200).
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import partial
from typing import Any, Final

from tests.bench.changes import torture
from tests.bench.changes.site import Site, running, why_missing
from tests.bench.floor import figure
from tests.bench.onboarding.throughput import PLANT
from tests.bench.proxy.process import control

PEOPLE: Final = int(os.environ.get("BENCH_PEOPLE", "200"))
EVERY: Final = 4.0
TIMEOUT_S: Final = 600
ROUNDS: Final = 6
STILL: Final = 75
"""Seconds after which nothing moves any more: longer than a change waits between two readings."""
GRANTS_EACH = 2
"""The group of the team, and the template with which people change their first password."""


def run() -> list[dict[str, Any]]:
    """The figures; raises RuntimeError when somebody was lost or made twice."""
    if reason := why_missing():
        print(f"skipped: torture of {PEOPLE} people ({reason})", file=sys.stderr)
        return []
    with running(
        accounts=1,
        users=20,
        groups=5,
        policies=5,
        concurrency=2,
        rate=500,
        lease=torture.LEASE,
        name="onboarding",
    ) as site:
        return _tortured(site)


def _tortured(site: Site) -> list[dict[str, Any]]:
    step = partial(site.plant, module=PLANT)
    asked = step("ask", PEOPLE)
    torture.start(site)
    breaking = torture.Breaking(every=EVERY, longest=TIMEOUT_S, few=asked["steps"] // 10)
    done = breaking.at_work(site, left=site.left, begin=partial(step, "approve"))
    broken, helped = step("standing"), _help(site)
    state = step("standing")
    struck = control(site.proxy, "stats")["struck"]
    site.stop()
    # A temporary password that was taken back is made twice by no mistake.
    twice = torture.twice(site, but="assword")
    print(f"onboarding: {dict(done)} {struck} {broken} then {state}", file=sys.stderr)
    _check(state, twice, site)
    name = f"onboarding torture: of {PEOPLE} people"
    return [
        figure(f"{name}, whole at once", broken["whole"], ""),
        figure(f"{name}, steps tried again by a person", helped, ""),
        figure(f"{name}, whole in the end", state["whole"], ""),
        figure(f"{name}, lost", PEOPLE - state["whole"], "", limit=0),
        figure(f"{name}, made twice", len(twice), "", limit=0),
    ]


def _help(site: Site) -> int:
    """Try again what failed or ended unknown, until nothing of it is left; how many steps that were."""
    helped = 0
    for _ in range(ROUNDS):
        tried = int(site.plant("again", module=PLANT)["tried"])
        helped += tried
        if not tried:
            break
        _settled(site)
    return helped


def _settled(site: Site) -> None:
    """Until nothing moves any more: what waits for a change of which nobody knows how it ended waits on."""
    still = time.monotonic()
    before = -1
    while (left := site.left()) and time.monotonic() - still < STILL:
        if left != before:
            before, still = left, time.monotonic()
        time.sleep(1)


def _check(state: dict[str, Any], twice: list[str], site: Site) -> None:
    """Raises RuntimeError for what must not be."""
    if state["whole"] != PEOPLE:
        raise RuntimeError(f"{PEOPLE - state['whole']} people are not whole: {state}")
    each = dict.fromkeys(("persons", "identities", "invitations", "joined", "settled"), 1)
    for name, number in (each | {"grants": GRANTS_EACH}).items():
        if state[name] != PEOPLE * number:
            raise RuntimeError(f"{name}: {state[name]}, and not {PEOPLE * number}")
    if twice:
        raise RuntimeError(f"{len(twice)} writes took effect twice: {twice[0]}")
    made = [json.loads(line) for line in site.log.read_text(encoding="utf-8").splitlines()]
    users = {row["on"]["UserName"] for row in made if row["action"] == "CreateUser"}
    if len(users) != PEOPLE:
        raise RuntimeError(f"AWS made {len(users)} users, and not {PEOPLE}")


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<90} {row['value']:>9} {row['unit']}")
