"""Three faults of an installation while changes are carried out: hosts whose clocks are wrong, a full disk, a
restored backup.

After each: nothing is lost, nothing took effect twice, and the journal verifies. Everything is on this
machine and on loopback. BENCH_FAULTS sets how many changes (120). The full disk is a small file system in
memory, which only root can mount.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.changes.site import Site, running, why_missing
from tests.bench.changes.torture import KINDS, LEASE, Outcome, settle, twice
from tests.bench.floor import figure
from tests.services import postgres

CHANGES = int(os.environ.get("BENCH_FAULTS", "120"))
ACCOUNTS = 6
TIMEOUT_S = 300.0
"""Seconds that each fault may take."""
AHEAD, BEHIND = 1200.0, -1200.0
"""Seconds by which the clocks of two workers are wrong: more than any lease."""
LATENCY = 0.15
"""Seconds for each call to AWS, so that something is under way when the fault comes."""
DISK_MEGABYTES = 400
FULL_SECONDS = 8.0
UNASKED_SECONDS = 12.0
"""Enough for the sweep to find what a worker would carry out."""


@contextmanager
def site_of(name: str, *, database_in: Path | None = None) -> Iterator[Site]:
    """A site in which the changes are queued."""
    per_account = -(-CHANGES // ACCOUNTS)
    with running(
        accounts=ACCOUNTS,
        users=max(4, per_account // 2),
        groups=8,
        policies=max(4, per_account // 3),
        concurrency=2,
        latency=LATENCY,
        rate=500,
        lease=LEASE,
        name=name,
        database_in=database_in,
    ) as site:
        yield site


def outcome(site: Site, queued: int, *, synced: bool = False) -> Outcome:
    """What came of it, with every process stopped; `synced`: after the next sync of each account."""
    settle(site, until=time.monotonic() + TIMEOUT_S, left=site.left)
    site.stop()
    if synced:
        site.plant("read")
    plant = site.plant("outcome")
    return Outcome(
        queued=queued,
        standing=plant["standing"],
        twice=twice(site),
        differs=plant["differences"],
        journal_holds=plant["journal_holds"],
    )


def until_left(site: Site, share: float, queued: int) -> None:
    """Wait until so much of the work is left."""
    deadline = time.monotonic() + TIMEOUT_S
    while site.left() > queued * share and time.monotonic() < deadline:
        time.sleep(0.1)


def skewed_clocks() -> Outcome:
    """One worker is twenty minutes ahead, one as much behind, and one is right."""
    with site_of("skew") as site:
        site.start_worker("ahead", clock=AHEAD)
        site.start_worker("behind", clock=BEHIND)
        site.start_worker("right")
        site.start_beat()
        queued = int(site.plant("queue", CHANGES, KINDS, 1)["queued"])
        return outcome(site, queued)


def full_disk() -> Outcome | None:
    """PostgreSQL has no space for some seconds, in the middle; None where no small file system can be
    mounted.
    """
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatehouse-disk-")))
        if not mounted(place):
            return None
        stack.callback(lambda: subprocess.run(["umount", "-l", str(place)], check=False))
        place.chmod(0o777)
        site = stack.enter_context(site_of("disk", database_in=place))
        for name in ("worker0", "worker1"):
            site.start_worker(name)
        site.start_beat()
        queued = int(site.plant("queue", CHANGES, KINDS, 2)["queued"])
        until_left(site, 0.6, queued)
        ballast = place / "ballast"
        fill(ballast)
        if os.statvfs(place).f_bavail:
            raise RuntimeError("the disk is not full")
        time.sleep(FULL_SECONDS)
        ballast.unlink()
        refused = site.output.read_text(encoding="utf-8", errors="replace").count("No space left on device")
        print(f"full disk: PostgreSQL refused {refused} statements of workers", file=sys.stderr)
        if not site.cluster.answers():
            site.cluster.resume()
        # What was to be read back could not be written down while the disk was full: the next sync finds it.
        return outcome(site, queued, synced=True)


def mounted(place: Path) -> bool:
    """A small file system in memory at a folder; False without the right to mount one."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(place)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def fill(ballast: Path) -> None:
    """Write until no byte is left."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            return


def restored_backup() -> tuple[Outcome, int]:
    """A backup is made in the middle, the rest is carried out, and then the backup is restored into another
    cluster; how many changes it held.
    """
    with ExitStack() as stack:
        site = stack.enter_context(site_of("restore"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatehouse-backup-")))
        site.start_worker("worker0")
        site.start_beat()
        queued = int(site.plant("queue", CHANGES, KINDS, 3)["queued"])
        until_left(site, 0.5, queued)
        backup = folder / "dump"
        server_program(site.cluster, "pg_dump", "-Fc", "-f", str(backup), "gatehouse")
        settle(site, until=time.monotonic() + TIMEOUT_S, left=site.left)
        site.stop()
        first, second = site.cluster, postgres.Cluster.start()
        stack.callback(second.stop)
        server_program(second, "pg_restore", "-d", "gatehouse", str(backup))
        site.cluster, site.variables["DATABASE_URL"] = second, second.url
        waiting = site.left()
        if first.url == second.url or not waiting:
            raise RuntimeError("the backup holds nothing that is to be done")
        site.start_worker("worker0")
        site.start_beat()
        # A worker on a busy machine takes long to begin.
        deadline = time.monotonic() + TIMEOUT_S
        while not site.on_hold():
            if time.monotonic() > deadline:
                raise RuntimeError("no worker noticed that the database was restored")
            time.sleep(0.5)
        time.sleep(UNASKED_SECONDS)
        if (left := site.left()) != waiting:
            raise RuntimeError(
                f"of {waiting} changes of the backup {waiting - left} were carried out unasked"
            )
        # Without workers, which would sync at the same time.
        site.stop()
        site.plant("read")
        released = subprocess.run(
            [sys.executable, "manage.py", "after_restore", "--release"],
            env=site.variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if released.returncode:
            raise RuntimeError(released.stdout + released.stderr)
        site.start_worker("worker0")
        site.start_beat()
        return outcome(site, queued), waiting


def server_program(cluster: postgres.Cluster, program: str, *words: str) -> None:
    """A program of PostgreSQL on a cluster."""
    where = ["-h", str(cluster.folder), "-U", "gatehouse"]
    subprocess.run([str(cluster.programs / program), *where, *words], check=True, capture_output=True)


def figures(name: str, outcome: Outcome) -> list[dict[str, Any]]:
    """What must be nought, and how many were applied; raises RuntimeError with what must not be."""
    if problems := outcome.problems():
        raise RuntimeError(f"{name}: {'; '.join(problems)}")
    states = outcome.standing["states"]
    lost = outcome.queued - sum(states.values())
    return [
        figure(f"{name}: of {outcome.queued:,} changes, applied", outcome.applied, ""),
        figure(f"{name}: unknown or failed, with a reason", outcome.queued - lost - outcome.applied, ""),
        figure(f"{name}: lost", lost, "", limit=0),
        figure(f"{name}: took effect twice", len(outcome.twice), "", limit=0),
        figure(f"{name}: breaks of the journal", int(not outcome.journal_holds), "", limit=0),
    ]


def run() -> list[dict[str, Any]]:
    """The figures of all three."""
    if reason := why_missing():
        print(f"skipped: faults of {CHANGES} changes ({reason})", file=sys.stderr)
        return []
    lines = figures("clocks 20 minutes ahead and behind", skewed_clocks())
    disk = full_disk()
    if disk is None:
        print("skipped: a full disk (only root can mount a small file system)", file=sys.stderr)
    else:
        lines += figures("full disk", disk)
    restored, waiting = restored_backup()
    lines += figures("restored backup", restored)
    lines.append(figure("restored backup: changes held until a person decides", waiting, ""))
    return lines


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<70} {row['value']:>9} {row['unit']}")
