"""The floors that pulls are compared with: a bare boto3 paginator, and one that also writes raw rows; and our
own read.

`cost_of(name, address=…)` measures one of them in a process of its own against a running fakeaws; `run()`
gives the figures of this module for `make bench`. By hand: `python -m tests.bench.floor` prints them.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench import floor_rows
from tests.bench.fakeaws.process import control, in_process
from tests.services import postgres

ACCOUNT = "111111111111"
TIMES = 3
Digests = dict[tuple[str, str], bytes]
LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


@dataclass(frozen=True)
class Cost:
    """CPU and wall time in seconds, peak memory above the idle process in MB, and how many entities
    passed.
    """

    cpu: float
    wall: float
    peak_mb: float
    entities: int


def environment(address: str) -> dict[str, str]:
    """The variables by which boto3 finds a fakeaws."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "AKIAFAKE",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def cost_of(name: str, *, address: str, database: str = "", times: int = TIMES) -> Cost:
    """The cheapest of some runs, each in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.floor", name, "--database", database]
    costs = []
    for _ in range(times):
        done = subprocess.run(
            command, env={**os.environ, **environment(address)}, stdout=subprocess.PIPE, text=True, check=True
        )
        costs.append(Cost(**json.loads(done.stdout)))
    return Cost(
        cpu=min(cost.cpu for cost in costs),
        wall=min(cost.wall for cost in costs),
        peak_mb=max(cost.peak_mb for cost in costs),
        entities=costs[0].entities,
    )


def stock_pages() -> Iterator[dict[str, Any]]:
    """All pages of GetAccountAuthorizationDetails by the stock boto3 paginator."""
    import boto3

    paginator = boto3.client("iam").get_paginator("get_account_authorization_details")
    yield from paginator.paginate(PaginationConfig={"PageSize": 1000})


def bare(database: str) -> Callable[[], int]:
    """The stock paginator, and nothing done with what it gives."""
    import boto3

    boto3.client("iam")
    return lambda: sum(len(page[name]) for page in stock_pages() for name in LISTS)


def sqlite(database: str) -> Callable[[], int]:
    """The stock paginator, digests, and executemany of raw rows into SQLite."""
    import boto3

    boto3.client("iam")
    return lambda: floor_rows.into_sqlite(stock_pages(), path=Path(database))


def postgresql(database: str) -> Callable[[], int]:
    """The stock paginator, digests, and COPY of raw rows into PostgreSQL."""
    import boto3

    boto3.client("iam")
    return lambda: floor_rows.into_postgresql(stock_pages(), url=database)


def ours_first(database: str) -> Callable[[], int]:
    """Our read of an account of which nothing is known: every member is decoded."""
    return _ours({})


def ours_unchanged(database: str) -> Callable[[], int]:
    """Our read of an account that is as it was, but for when things were last used."""
    # What is known comes from another process, so that this one's memory has not grown from a first read.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        known = pool.apply(_digests)
    control(os.environ["AWS_ENDPOINT_URL"], "_touch?n=500&seed=3")
    return _ours(known)


def _digests() -> Digests:
    digests: Digests = {}
    _ours({}, keep=digests)()
    return digests


def _ours(known: Digests, *, keep: Digests | None = None) -> Callable[[], int]:
    from iam.aws.access import AccountAccess
    from iam.aws.reads.authorization import stream_authorization
    from iam.aws.session import connect

    aws = connect(AccountAccess(ACCOUNT))
    assert aws.iam

    def read() -> int:
        count = 0
        for page in stream_authorization(aws, known=lambda kind, aws_id: known.get((kind, aws_id))):
            count += len(page.items)
            if keep is not None:
                keep.update({(item.kind, item.aws_id): item.digest for item in page.items})
        return count

    return read


def ours_whole_lane(database: str) -> Callable[[], int]:
    """Our read of all bulk calls of an unchanged account: what a pull reads in its fast lane."""
    from iam.aws.access import AccountAccess
    from iam.aws.reads import lists
    from iam.aws.reads.credential_report import read_credential_report
    from iam.aws.session import connect

    stream = ours_unchanged(database)
    aws = connect(AccountAccess(ACCOUNT))

    def read() -> int:
        for part in (
            lists.list_users,
            lists.list_roles,
            lists.list_virtual_mfa_devices,
            lists.list_service_specific_credentials,
            lists.list_instance_profiles,
            lists.list_server_certificates,
            lists.list_saml_providers,
            lists.list_oidc_providers,
            lists.account_summary,
            lists.account_aliases,
            lists.password_policy,
            read_credential_report,
        ):
            part(aws)
        return stream()

    return read


MEASURED: dict[str, Callable[[str], Callable[[], int]]] = {
    "bare": bare,
    "sqlite": sqlite,
    "postgresql": postgresql,
    "ours-first": ours_first,
    "ours-unchanged": ours_unchanged,
    "ours-whole-lane": ours_whole_lane,
}


def measure(work: Callable[[], int]) -> Cost:
    """Run something once, and say what it cost."""
    gc.collect()
    # Reset the kernel's high-water mark, so that only the work's own peak is seen.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    idle = _memory("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    count = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Cost(cpu=cpu, wall=wall, peak_mb=(_memory("VmHWM") - idle) / 1024, entities=count)


def _memory(field: str) -> int:
    """Kilobytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    floor: str = "",
    ratio: float | None = None,
    limit: float | None = None,
) -> dict[str, Any]:
    """One figure as `make bench` takes it."""
    rounded = None if ratio is None else round(ratio, 3)
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "floor": floor,
        "ratio": rounded,
        "limit": limit,
    }


def run() -> list[dict[str, Any]]:
    """The floors, and our read against them, at 5,000 users, 300 groups, 2,000 roles and 1,000 policies."""
    with in_process() as address:
        costs = {
            name: cost_of(name, address=address)
            for name in ("bare", "ours-first", "ours-unchanged", "ours-whole-lane")
        }
        costs |= _floors_with_rows(address)
    assert len({cost.entities for cost in costs.values()}) == 1, "every way must see the same account"
    stock = costs["bare"]
    figures = [
        figure("read: bare boto3 paginator, CPU", stock.cpu, "s"),
        figure("read: bare boto3 paginator, wall", stock.wall, "s"),
        figure("read: bare boto3 paginator, memory above idle", stock.peak_mb, "MB"),
    ]
    for name in ("sqlite", "postgresql"):
        if name in costs:
            figures.append(
                figure(
                    f"floor: paginator + digests + raw rows into {name}, CPU",
                    costs[name].cpu,
                    "s",
                    floor="bare boto3 paginator",
                    ratio=costs[name].cpu / stock.cpu,
                )
            )
            figures.append(
                figure(
                    f"floor: paginator + digests + raw rows into {name}, wall",
                    costs[name].wall,
                    "s",
                    floor="bare boto3 paginator",
                    ratio=costs[name].wall / stock.wall,
                )
            )
    for name, words, limit in (
        ("ours-first", "our first read", 1.0),
        ("ours-unchanged", "our unchanged read", 0.3),
        ("ours-whole-lane", "our unchanged read, all bulk calls", 0.6),
    ):
        cost = costs[name]
        figures.append(
            figure(
                f"read: {words}, CPU",
                cost.cpu,
                "s",
                floor="bare boto3 paginator",
                ratio=cost.cpu / stock.cpu,
                limit=limit,
            )
        )
        figures.append(figure(f"read: {words}, memory above idle", cost.peak_mb, "MB", limit=200))
    return figures


def _floors_with_rows(address: str) -> dict[str, Cost]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="gatehouse-floor-") as folder:
        costs = {"sqlite": cost_of("sqlite", address=address, database=f"{folder}/floor.sqlite3")}
    if not postgres.why_missing():
        cluster = postgres.Cluster.start()
        try:
            costs["postgresql"] = cost_of("postgresql", address=address, database=cluster.url)
        finally:
            cluster.stop()
    return costs


def main() -> None:
    """Measure one thing for `cost_of`, or print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", choices=MEASURED)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    if options.name:
        print(json.dumps(asdict(measure(MEASURED[options.name](options.database)))))
        return
    for row in run():
        ratio = "" if row["ratio"] is None else f"  {row['ratio']} x {row['floor']}"
        print(f"{row['name']:<66} {row['value']:>9} {row['unit']:<3}{ratio}")


if __name__ == "__main__":
    main()
