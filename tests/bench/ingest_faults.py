"""Everything breaks while a million events are read from a trail's bucket: none is lost, and none is counted
twice.

Workers are killed with SIGKILL, Redis is emptied and restarted, and the connections to the database are cut.
Bounded: it stops by itself. BENCH_INGEST_FAULTS sets how many events (1,000,000).
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from botocore.session import Session

from console.demo.broker import free_port
from tests.bench.changes.site import Broker, Site, why_missing
from tests.bench.floor import figure
from tests.bench.trail_events import START, files
from tests.services import postgres

EVENTS: Final = int(os.environ.get("BENCH_INGEST_FAULTS", "1000000"))
EVENTS_OF_FILE: Final = 250
EVERY_S: Final = 6.0
BREAKS: Final = 20
"""So often something breaks; then the rest is read in peace."""
TIMEOUT_S: Final = 1800
LEASE: Final = 10
ACCOUNT: Final = "100000000000"
BUCKET: Final = "bench-trail"
REGIONS: Final = ("eu-west-1", "eu-central-1", "us-east-1", "ap-south-1")


def run() -> list[dict[str, Any]]:
    """How many events were lost or counted twice (both should be 0), or nothing if a service is missing."""
    if reason := why_missing():
        print(f"skipped: ingest_faults ({reason})", file=sys.stderr)
        return []
    count = EVENTS // EVENTS_OF_FILE
    with _site() as site:
        _deliver(site.standin, count)
        site.plant("prepare", module="tests.bench.ingest_faults")
        for name in ("worker0", "worker1"):
            site.start_worker(name)
        site.start_beat()
        began = time.monotonic()
        broken = _break(site, count * EVENTS_OF_FILE, until=began + TIMEOUT_S)
        seconds = time.monotonic() - began
        site.stop()
        found = site.plant("outcome", module="tests.bench.ingest_faults")
    wanted = count * EVENTS_OF_FILE
    acts = ", ".join(f"{name} {times}×" for name, times in sorted(broken.items()))
    return [
        figure(
            f"ingest under faults ({acts}): {wanted:,} events, lost", wanted - found["events"], "", limit=0
        ),
        figure("ingest under faults: counted twice by day", found["by_day"] - wanted, "", limit=0),
        figure("ingest under faults: counted twice by action", found["by_action"] - wanted, "", limit=0),
        figure("ingest under faults: counted twice by address", found["by_address"] - wanted, "", limit=0),
        figure("ingest under faults: time", seconds, "s", limit=TIMEOUT_S),
    ]


@contextmanager
def _site() -> Iterator[Site]:
    """PostgreSQL, Redis and an S3, without workers yet."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatehouse-ingest-faults-")))
        cluster = postgres.Cluster.start()
        stack.callback(cluster.stop)
        broker = Broker(folder)
        broker.start()
        stack.callback(broker.kill)
        port = free_port()
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
        server.start()
        stack.callback(server.stop)
        address = f"http://127.0.0.1:{port}"
        site = Site(
            variables=_variables(address, cluster.url, broker.url, folder),
            proxy=address,
            standin=address,
            log=folder / "writes.jsonl",
            broker=broker,
            cluster=cluster,
            concurrency=2,
            output=folder / "workers.log",
        )
        stack.callback(site.stop)
        yield site


def _variables(address: str, database: str, broker: str, folder: Path) -> dict[str, str]:
    ours = ("AWS_", "GATEHOUSE_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "GATEHOUSE_MODE": "embedded",
        "GATEHOUSE_VAR": str(folder),
        "GATEHOUSE_CHANGE_LEASE": str(LEASE),
        "GATEHOUSE_ACTIVITY_KEEP_EVENTS": "false",
        "DATABASE_URL": database,
        "REDIS_URL": broker,
    }


def _deliver(address: str, count: int) -> None:
    """So many log files into the bucket, in several Regions."""
    client = Session().create_client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="x",
    )
    client.create_bucket(Bucket=BUCKET)
    for number, content in enumerate(files(count, EVENTS_OF_FILE, seed=7)):
        at, region = START + timedelta(minutes=number), REGIONS[number % len(REGIONS)]
        name = f"{ACCOUNT}_CloudTrail_{region}_{at:%Y%m%dT%H%M}Z_{number:016d}.json.gz"
        key = f"AWSLogs/{ACCOUNT}/CloudTrail/{region}/{at:%Y/%m/%d}/{name}"
        client.put_object(Bucket=BUCKET, Key=key, Body=content)


def _break(site: Site, wanted: int, *, until: float) -> Counter[str]:
    """One thing after the other, until all events are there; what was broken how often."""
    chance = random.Random(1)
    acts: dict[str, Callable[[], object]] = {
        "worker killed": lambda: _kill(site, chance.choice(["worker0", "worker1"])),
        "Redis emptied": lambda: _empty(site),
        "Redis restarted": lambda: _restart(site),
        "database cut": site.cut_database,
    }
    broken: Counter[str] = Counter()
    names = list(acts)
    while _stored(site) < wanted and time.monotonic() < until:
        time.sleep(EVERY_S)
        name = names[broken.total() % len(names)]
        if broken.total() < BREAKS:
            acts[name]()
            broken[name] += 1
    return broken


def _stored(site: Site) -> int:
    import psycopg

    with psycopg.connect(site.cluster.url, autocommit=True) as connection:
        counted = connection.execute("SELECT coalesce(sum(calls), 0) FROM activity_day").fetchone()
    return int(counted[0]) if counted else 0


def _kill(site: Site, name: str) -> None:
    site.kill_worker(name)
    site.start_worker(name)


def _restart(site: Site) -> None:
    site.broker.kill()
    time.sleep(0.5)
    site.broker.start()


def _empty(site: Site) -> None:
    import redis

    with redis.Redis.from_url(site.broker.url) as client:
        client.flushall()


def prepare() -> dict[str, Any]:
    """The tables, and a source that reads the bucket."""
    from django.core.management import call_command

    from iam.activity.sources.models import SourceKind, TrailSource
    from iam.mirror.models import Account

    call_command("migrate", verbosity=0)
    account = Account.objects.create(
        account_id=ACCOUNT, name="bench", source="environment", next_pull_at=None
    )
    TrailSource.objects.create(
        kind=SourceKind.BUCKET,
        account=account,
        bucket=BUCKET,
        region="us-east-1",
        since=(START - timedelta(days=1)).date(),
        created_by="bench",
    )
    return {}


def outcome() -> dict[str, Any]:
    """How many events are stored, and how many calls the rollups count."""
    from django.db.models import Sum

    from iam.activity.models import CallerAction, CallerAddress, CallerDay, TrailEvent

    return {
        "events": TrailEvent.objects.count(),
        "by_day": CallerDay.objects.aggregate(calls=Sum("calls"))["calls"] or 0,
        "by_action": CallerAction.objects.aggregate(calls=Sum("calls"))["calls"] or 0,
        "by_address": CallerAddress.objects.aggregate(calls=Sum("calls"))["calls"] or 0,
    }


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps({"prepare": prepare, "outcome": outcome}[sys.argv[1]]()))
