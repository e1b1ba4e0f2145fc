"""How fast trail files become events in PostgreSQL, by one process: files of a thousand events, with and
without the raw events, thousands of small files, and files that were read before.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any, Final

import orjson

from tests.bench.floor import figure
from tests.bench.trail_events import files
from tests.services import postgres

LARGE_FILES: Final = 100
EVENTS: Final = 1000
SMALL_FILES: Final = 2000
SMALL_EVENTS: Final = 10
Figures = list[dict[str, Any]]


def run() -> Figures:
    """All figures, or none where PostgreSQL is missing."""
    if reason := postgres.why_missing():
        print(f"skipped: ingest ({reason})", file=sys.stderr)
        return []
    cluster = postgres.Cluster.start()
    try:
        with tempfile.TemporaryDirectory(prefix="gatehouse-ingest-") as folder:
            variables = {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "console.settings",
                "GATEHOUSE_MODE": "embedded",
                "GATEHOUSE_VAR": folder,
                "DATABASE_URL": cluster.url,
                "REDIS_URL": "redis://127.0.0.1:1/0",
            }
            command = [sys.executable, "-m", "tests.bench.ingest"]
            done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
            return list(json.loads(done.stdout.splitlines()[-1]))
    finally:
        cluster.stop()


def measure() -> Figures:
    """The figures, in a process with a database."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    large = list(files(LARGE_FILES, EVENTS, seed=1))
    total = LARGE_FILES * EVENTS
    floor = total / _seconds_to_parse(large)
    figures = [figure("ingest: floor, gunzip and orjson", floor, "events/s")]
    settings.ACTIVITY_KEEP_EVENTS = False
    figures.append(_rate("ingest: files of 1,000 events", large, total, 20_000))
    figures.append(_rate("ingest: the same files again", large, total, None))
    settings.ACTIVITY_KEEP_EVENTS = True
    raw = list(files(LARGE_FILES, EVENTS, seed=2))
    figures.append(_rate("ingest: files of 1,000 events, raw events stored", raw, total, 8_000))
    small = list(files(SMALL_FILES, SMALL_EVENTS, seed=3))
    figures.append(_rate("ingest: files of 10 events", small, SMALL_FILES * SMALL_EVENTS, 5_000))
    return figures


def _seconds_to_parse(contents: list[bytes]) -> float:
    began = time.perf_counter()
    for content in contents:
        orjson.loads(gzip.decompress(content))
    return time.perf_counter() - began


def _rate(name: str, contents: list[bytes], events: int, at_least: int | None) -> dict[str, Any]:
    """Events per second, which should be at least so many."""
    from iam.activity.ingest import DeliveredFile, ingest

    began = time.perf_counter()
    report = ingest(
        (DeliveredFile(f"{name} {number}", each) for number, each in enumerate(contents)), "command"
    )
    rate = events / (time.perf_counter() - began)
    assert report.events == events, report
    words = name if at_least is None else f"{name} (at least {at_least:,})"
    return figure(words, rate, "events/s")


if __name__ == "__main__":
    print(json.dumps(measure()))
