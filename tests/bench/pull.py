"""What a pull of a large account costs, in calls, time and memory, against floors that are measured in the
same run.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from tests.bench.fakeaws.process import control, in_process
from tests.bench.floor import Cost, cost_of, figure
from tests.bench.pull_process import Steps, costs_of
from tests.services import postgres

BARE, STORED = "bare boto3 paginator", "boto3 paginator + digests + raw rows"
MAX_FAST_CALLS = 40
MAX_MEMORY_MB = 200
Figures = list[dict[str, Any]]


def run() -> Figures:
    """5,000 users, 300 groups, 2,000 roles, 1,000 policies, pages of 1,000, into SQLite and into
    PostgreSQL.
    """
    with in_process() as address, tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        bare = cost_of("bare", address=address)
        floor = cost_of("sqlite", address=address, database=f"{folder}/floor.sqlite3")
        steps = costs_of(address, url=f"sqlite:///{folder}/pull.sqlite3", folder=folder)
        figures = [
            figure(
                "pull: requests of the fast lane",
                steps["first"]["summary"]["calls"]["fast"],
                "calls",
                limit=MAX_FAST_CALLS,
            ),
            figure(
                "pull: requests for the organization's tree (apart: they grow with its units)",
                steps["first"]["summary"]["calls"]["organization"],
                "calls",
            ),
            *_figures("SQLite", steps, bare=bare, floor=floor),
        ]
        if reason := postgres.why_missing():
            print(f"skipped: pulls into PostgreSQL ({reason})", file=sys.stderr)
        else:
            figures += _into_postgresql(address, folder, bare)
        return figures + _details(folder)


def _into_postgresql(address: str, folder: str, bare: Cost) -> Figures:
    cluster = postgres.Cluster.start()
    try:
        floor = cost_of("postgresql", address=address, database=cluster.url)
        steps = costs_of(address, url=cluster.url, folder=folder)
    finally:
        cluster.stop()
    return _figures("PostgreSQL", steps, bare=bare, floor=floor)


def _figures(database: str, steps: Steps, *, bare: Cost, floor: Cost) -> Figures:
    first, same, changed = steps["first"], steps["unchanged"], steps["changed"]
    return [
        figure(
            f"pull: first, end to end into {database}, wall",
            first["wall"],
            "s",
            floor=STORED,
            ratio=first["wall"] / floor.wall,
            limit=3,
        ),
        figure(
            f"pull: first, end to end into {database}, CPU",
            first["cpu"],
            "s",
            floor=STORED,
            ratio=first["cpu"] / floor.cpu,
            limit=3,
        ),
        figure(
            f"pull: again, only last uses changed, {database}, CPU",
            same["cpu"],
            "s",
            floor=BARE,
            ratio=same["cpu"] / bare.cpu,
            limit=1.3,
        ),
        figure(
            f"pull: again, only last uses changed, {database}, wall",
            same["wall"],
            "s",
            floor=BARE,
            ratio=same["wall"] / bare.wall,
            limit=1.3,
        ),
        figure(f"pull: again, rows of history written, {database}", same["rows_written"], "rows", limit=0),
        figure(
            f"pull: one percent changed costs more by, {database}, CPU",
            changed["cpu"] - same["cpu"],
            "s",
            limit=0.3,
        ),
        figure(
            f"pull: peak memory above the idle worker, {database}",
            max(step["peak_mb"] for step in (first, same, changed)),
            "MB",
            limit=MAX_MEMORY_MB,
        ),
    ]


def _details(folder: str) -> Figures:
    """The detail lane of a tenth of the account: calls by what they are for, and none at all when nothing has
    changed.
    """
    with in_process(users=500, groups=30, roles=200, policies=100) as address:
        steps = costs_of(
            address, url=f"sqlite:///{folder}/details.sqlite3", folder=folder, detail_calls=1_000_000
        )
        control(address, "_reset")
    first, same = steps["first"]["summary"]["calls"], steps["unchanged"]["summary"]["calls"]
    return [
        figure("pull: requests of the detail lane, 500 users, from nothing", first["detail"], "calls"),
        figure(
            "pull: requests of the detail lane, 500 users, only last uses changed",
            same["detail"],
            "calls",
            limit=0,
        ),
    ]


if __name__ == "__main__":
    for row in run():
        ratio = "" if row["ratio"] is None else f"  {row['ratio']} x {row['floor']}"
        limit = "" if row["limit"] is None else f"  (limit {row['limit']})"
        print(f"{row['name']:<80} {row['value']:>9} {row['unit']:<5}{ratio}{limit}", flush=True)
