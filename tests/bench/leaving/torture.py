"""Workers are killed, AWS throttles and fails, Redis and the database break off while people leave: each is
proved ended, nothing is done twice.

Everybody has users in four accounts, with a password, keys, an MFA device, other credentials, groups,
policies and a grant. BENCH_LEAVERS sets how many people (12).
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from typing import Any, Final

from tests.bench.changes import torture
from tests.bench.changes.site import Site, running, why_missing
from tests.bench.floor import figure
from tests.bench.proxy.process import control

PEOPLE: Final = int(os.environ.get("BENCH_LEAVERS", "12"))
ACCOUNTS: Final = 4
EVERY: Final = 6.0
TIMEOUT_S: Final = 600
ROUNDS: Final = 6
SECOND_TIMEOUT_S: Final = 60
"""Seconds until a person looks after whom something is still open of."""
PLANT: Final = "tests.bench.leaving.plant"


def run() -> list[dict[str, Any]]:
    """The figures; raises RuntimeError when somebody's access has not ended, or anything was done twice."""
    if reason := why_missing():
        print(f"skipped: torture of {PEOPLE} people who leave ({reason})", file=sys.stderr)
        return []
    with running(
        accounts=ACCOUNTS,
        users=PEOPLE + 1,
        groups=5,
        policies=5,
        concurrency=2,
        rate=500,
        lease=torture.LEASE,
        name="leaving",
        equipped=True,
    ) as site:
        return _tortured(site)


def _tortured(site: Site) -> list[dict[str, Any]]:
    step = partial(site.plant, module=PLANT)
    torture.start(site)
    step("people", PEOPLE)
    torture.settle(site, until=time.monotonic() + TIMEOUT_S, left=site.left)
    asked = step("ask")
    breaking = torture.Breaking(every=EVERY, longest=TIMEOUT_S / 2, few=0)
    done = breaking.at_work(site, left=site.leaving, begin=partial(step, "approve"))
    broken, helped = step("standing"), _help(site)
    state = step("standing")
    struck = control(site.proxy, "stats")["struck"]
    torture.settle(site, until=time.monotonic() + torture.PULLED_WITHIN, left=site.left)
    site.stop()
    truth, twice = step("truth"), torture.twice(site)
    print(f"offboarding: {asked} {dict(done)} {struck} {broken} then {state} {truth}", file=sys.stderr)
    if problems := _problems(state, truth, twice):
        raise RuntimeError("; ".join(problems))
    name = f"leaving torture: of {PEOPLE} people in {ACCOUNTS} accounts"
    return [
        figure(f"{name}, proved at once", broken["proved"], ""),
        figure(f"{name}, read again by a person", helped, ""),
        figure(f"{name}, proved in the end", state["proved"], ""),
        figure(f"{name}, still open", PEOPLE - state["proved"], "", limit=0),
        figure(f"{name}, done twice", len(twice), "", limit=0),
    ]


def _help(site: Site) -> int:
    """Have AWS read again for whom something is still open of; for how many."""
    helped = 0
    for _ in range(ROUNDS):
        if not site.leaving():
            break
        helped += int(site.plant("again", module=PLANT)["tried"])
        torture.settle(site, until=time.monotonic() + SECOND_TIMEOUT_S, left=site.leaving)
    return helped


def _problems(state: dict[str, Any], truth: dict[str, Any], twice: list[str]) -> list[str]:
    """What must not be, in words."""
    wrong: list[str] = []
    if state["stages"] != {"gone": PEOPLE} or state["proved"] != PEOPLE:
        wrong.append(f"not everybody is gone: {state}")
    if state["certificates"] != PEOPLE or state["lacking"] or state["broken"]:
        wrong.append(
            f"{state['certificates']} certificates; {state['broken']} broken; {state['lacking'][:3]}"
        )
    if truth["open"]:
        wrong.append(f"AWS still shows {truth['open'][:3]}")
    if truth["differences"]:
        wrong.append(f"the mirror is not what AWS shows: {truth['differences'][:3]}")
    if truth["shared"] != PEOPLE // 2:
        wrong.append(f"{truth['shared']} of {PEOPLE // 2} grants live on for who stays: {truth['states']}")
    if truth["grants"]:
        wrong.append(f"{truth['grants']} grants live that were for somebody who left")
    if not truth["journal_holds"]:
        wrong.append("the journal's chain is broken")
    if twice:
        wrong.append(f"{len(twice)} writes took effect twice: {twice[0]}")
    return wrong


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<90} {row['value']:>9} {row['unit']}")
