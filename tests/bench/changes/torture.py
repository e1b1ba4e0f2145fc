"""Everything breaks while changes are carried out: each is applied once, or ends with a reason, and the
mirror is what AWS shows.

Workers are killed with SIGKILL, Redis is emptied and restarted, the connections to the database are cut, and
AWS throttles, fails before and after it has carried out a call, breaks connections, and answers late.
Bounded: it stops by itself. BENCH_TORTURE sets how many changes (2,000).
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.bench.changes.site import Site, running, why_missing
from tests.bench.floor import figure
from tests.bench.proxy.process import control

CHANGES = int(os.environ.get("BENCH_TORTURE", "2000"))
KINDS = "membership,attachment,inline,version"
FAULTS = {
    "throttle": 0.03,
    "fail": 0.02,
    "reset": 0.02,
    "fail-after": 0.02,
    "reset-after": 0.02,
    "late": 0.01,
}
TIMEOUT_S = 1500
PULLED_WITHIN = 60
"""Seconds for the pulls that changes have asked for; one whose worker was killed is not waited for."""
LEASE = 10
"""Seconds after which a change of a lost worker is taken up again: no call here takes as long."""


@dataclass
class Outcome:
    """What came of it."""

    queued: int
    standing: dict[str, Any]
    twice: list[str]
    differs: list[str]
    journal_holds: bool
    done: Counter[str] = field(default_factory=Counter)
    struck: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def applied(self) -> int:
        """How many were applied."""
        return int(self.standing["states"].get("applied", 0))

    def problems(self) -> list[str]:
        """What must not be, in words; empty is well."""
        states = self.standing["states"]
        problems = []
        if strange := set(states) - {"applied", "failed", "unknown"}:
            problems.append(f"changes that have not ended: {sorted(strange)}")
        if sum(states.values()) != self.queued:
            problems.append(f"{self.queued} were queued, and {sum(states.values())} are there")
        if self.standing["unexplained"]:
            problems.append(f"{self.standing['unexplained']} ended without a reason")
        if self.twice:
            problems.append(f"{len(self.twice)} writes took effect twice: {self.twice[0]}")
        if self.differs:
            problems.append(
                f"the mirror is not what AWS shows: {self.differs[0]}; {states}, {self.standing['reasons']}"
            )
        if not self.journal_holds:
            problems.append("the journal's chain is broken")
        return problems


def torture(
    *,
    changes: int,
    accounts: int,
    every: float,
    seed: int = 1,
    longest: float = TIMEOUT_S,
    breaks_for: float | None = None,
) -> Outcome:
    """Queue the changes and break something every so many seconds until most are through; then let the rest
    end in peace.
    """
    per_account = -(-changes // accounts)
    with running(
        accounts=accounts,
        users=max(4, per_account // 2),
        groups=8,
        policies=max(4, per_account // 3),
        concurrency=2,
        rate=500,
        lease=LEASE,
        name="torture",
    ) as site:
        # Workers that are there before would be through before the first thing breaks.
        queued = int(site.plant("queue", changes, KINDS, seed)["queued"])
        start(site)
        began = time.monotonic()
        breaking = Breaking(every=every, longest=longest, few=changes // 10, seed=seed, breaks_for=breaks_for)
        done = breaking.at_work(site, left=site.left)
        return _outcome(site, queued, done, time.monotonic() - began)


def start(site: Site) -> None:
    """Two workers and the clock."""
    for name in ("worker0", "worker1"):
        site.start_worker(name)
    site.start_beat()


@dataclass(frozen=True)
class Breaking:
    """Something breaks every so many seconds, until no more than a `few` are left of what is to be done, or
    it has broken for so long (None: half of the `longest` time).
    """

    every: float
    longest: float
    few: int
    seed: int = 1
    breaks_for: float | None = None

    def at_work(
        self, site: Site, *, left: Callable[[], int], begin: Callable[[], object] | None = None
    ) -> Counter[str]:
        """What was broken how often. `begin` sets the work off; when the breaking is over, the rest ends in
        peace.
        """
        began = time.monotonic()
        control(site.proxy, "faults", {"rates": FAULTS, "late": 2.0, "seed": self.seed})
        if begin is not None:
            begin()
        breaks_for = self.longest / 2 if self.breaks_for is None else self.breaks_for
        done = _break(site, self, until=began + breaks_for, left=left)
        control(site.proxy, "faults", {"rates": {}})
        settle(site, until=began + self.longest, left=left)
        return done


def _break(site: Site, breaking: Breaking, *, until: float, left: Callable[[], int]) -> Counter[str]:
    """One thing after the other, each kind in turn; a worker that was killed is started again."""
    chance = random.Random(breaking.seed)
    acts: dict[str, Callable[[], object]] = {
        "worker killed": lambda: _kill(site, chance.choice(["worker0", "worker1"])),
        "Redis emptied": lambda: _empty(site),
        "Redis restarted": lambda: (site.broker.kill(), time.sleep(0.5), site.broker.start()),
        "database cut": site.cut_database,
    }
    done: Counter[str] = Counter()
    turns = _turns(list(acts), chance)
    while left() > breaking.few and time.monotonic() < until:
        time.sleep(breaking.every)
        act = next(turns)
        acts[act]()
        done[act] += 1
    return done


def _turns(names: list[str], chance: random.Random) -> Iterator[str]:
    while True:
        chance.shuffle(names)
        yield from names


def _kill(site: Site, name: str) -> None:
    site.kill_worker(name)
    site.start_worker(name)


def _empty(site: Site) -> None:
    import redis

    with redis.Redis.from_url(site.broker.url) as client:
        client.flushall()


def settle(site: Site, *, until: float, left: Callable[[], int]) -> None:
    """Leases run out, and the sweep finds what nobody has been told of; then what changes have asked to be
    read again is read.
    """
    while left() and time.monotonic() < until:
        time.sleep(0.5)
    most = min(until, time.monotonic() + PULLED_WITHIN)
    while site.asked_for() and time.monotonic() < most:
        time.sleep(0.5)


def _outcome(site: Site, queued: int, done: Counter[str], seconds: float) -> Outcome:
    struck = control(site.proxy, "stats")["struck"]
    site.stop()
    plant = site.plant("outcome")
    return Outcome(
        queued=queued,
        standing=plant["standing"],
        twice=twice(site),
        differs=plant["differences"],
        journal_holds=plant["journal_holds"],
        done=done,
        struck=struck,
        seconds=seconds,
    )


def twice(site: Site, *, but: str = "") -> list[str]:
    """Writes on the same that took effect more than once, by the proxy's own log: every change is about
    something of its own. Parameters with the word `but` in their names tell nothing apart.
    """
    seen: Counter[str] = Counter()
    for line in site.log.read_text(encoding="utf-8").splitlines():
        note = json.loads(line)
        if note["took_effect"]:
            on = {key: value for key, value in note["on"].items() if not but or but not in key}
            seen[f"{note['action']} {json.dumps(on, sort_keys=True)} {note['key'][4:13]}"] += 1
    return [what for what, times in seen.items() if times > 1]


def run() -> list[dict[str, Any]]:
    """The figures; raises RuntimeError when anything was lost or done twice."""
    if reason := why_missing():
        print(f"skipped: torture of {CHANGES} changes ({reason})", file=sys.stderr)
        return []
    torture_outcome = torture(changes=CHANGES, accounts=10, every=5.0)
    if problems := torture_outcome.problems():
        raise RuntimeError("; ".join(problems))
    name = f"torture: of {torture_outcome.queued:,} changes"
    broken = ", ".join(
        f"{what} {times}"
        for what, times in sorted((torture_outcome.done + Counter(torture_outcome.struck)).items())
    )
    print(f"torture: {broken}", file=sys.stderr)
    states = torture_outcome.standing["states"]
    return [
        figure(f"{name}, applied", torture_outcome.applied, ""),
        figure(
            f"{name}, failed or unknown with a reason", states.get("failed", 0) + states.get("unknown", 0), ""
        ),
        figure(f"{name}, taken up again", torture_outcome.standing["retried"], ""),
        figure(f"{name}, took effect twice", len(torture_outcome.twice), "", limit=0),
        figure("torture: from the first to the last", torture_outcome.seconds, "s"),
    ]


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<70} {row['value']:>9} {row['unit']}")
