"""What `make run` costs while nobody does anything: CPU of all its processes, of one core, once nothing was
written for a minute after the first readings.

BENCH_IDLE_SECONDS sets for how long it is watched (300: the rarest of the frequent tasks run every five
minutes).
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bench.click import _console
from tests.bench.floor import figure

SECONDS = int(os.environ.get("BENCH_IDLE_SECONDS", "300"))
REST = 60
LONGEST_SETTLE = 400
"""So long what follows from the first readings may take, in seconds."""
LIMIT = 0.5


def run() -> list[dict[str, Any]]:
    """The figures: all processes, and each sort of them."""
    with _console() as (_, var):
        settle(var / "gatehouse.sqlite3")
        spent = watch(_supervisor(var), seconds=SECONDS)
    name = f"idle: make run over {SECONDS} s"
    figures = [figure(f"{name}, CPU", sum(spent.values()), "% of a core", limit=LIMIT)]
    return figures + [
        figure(f"{name}, of it {sort}", value, "% of a core") for sort, value in sorted(spent.items())
    ]


def settle(database: Path) -> None:
    """Wait until nothing was written for a minute; an error if that doesn't come."""
    began = rested = time.monotonic()
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        state = None
        while time.monotonic() - rested < REST:
            if time.monotonic() - began > LONGEST_SETTLE:
                raise RuntimeError(f"the console still writes after {LONGEST_SETTLE} s")
            if (now := connection.execute("PRAGMA data_version").fetchone()) != state:
                state, rested = now, time.monotonic()
            time.sleep(2)


def watch(root: int, *, seconds: float) -> dict[str, float]:
    """Percent of a core that a process and all below it use, by sort."""
    before, began = _ticks(root), time.monotonic()
    time.sleep(seconds)
    after, lasted = _ticks(root), time.monotonic() - began
    spent: dict[str, float] = {}
    for pid, (sort, ticks) in after.items():
        used = ticks - before.get(pid, (sort, 0))[1]
        spent[sort] = spent.get(sort, 0) + 100 * used / os.sysconf("SC_CLK_TCK") / lasted
    return spent


def _supervisor(var: Path) -> int:
    for folder in Path("/proc").glob("[0-9]*"):
        words = _words(folder)
        if "console.demo.supervisor" in words and f"GATEHOUSE_VAR={var}" in _environment(folder):
            return int(folder.name)
    raise RuntimeError("the supervisor is not running")


def _ticks(root: int) -> dict[int, tuple[str, int]]:
    """{process: (sort, ticks of CPU)} of a process and all below it."""
    parents: dict[int, int] = {}
    rows: dict[int, tuple[str, int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        rows[int(folder.name)] = (_sort(_words(folder)), int(fields[11]) + int(fields[12]))
    return {pid: row for pid, row in rows.items() if _is_below(pid, root, parents)}


def _is_below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid and pid != root:
        pid = parents.get(pid, 0)
    return pid == root


def _sort(words: list[str]) -> str:
    for word in ("celery", "granian", "console.demo.standin", "console.demo.supervisor"):
        if word in words:
            return word.rpartition(".")[2]
    return "redis"


def _words(folder: Path) -> list[str]:
    return _nulls(folder / "cmdline")


def _environment(folder: Path) -> list[str]:
    return _nulls(folder / "environ")


def _nulls(file: Path) -> list[str]:
    try:
        return file.read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


if __name__ == "__main__":
    for measured in run():
        print(f"{measured['name']:<60} {measured['value']:>9} {measured['unit']}")
