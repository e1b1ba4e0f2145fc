"""Building an evidence pack of a framework for an account of 5,000 users, with 2,000 changes and 20,000
journal entries: seconds of our own CPU and memory above idle, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.bench.both import Figures, on_both
from tests.bench.floor import figure

USERS, CHANGES, ENTRIES = 5_000, 2_000, 20_000
LIMITS: Final = {"s": 30, "mb": 150, "verify": 30}


def run() -> Figures:
    """The figures of both databases."""
    return on_both("tests.bench.evidence")


def measure(database: str) -> Figures:
    """The figures of the configured database."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    _seed()
    return _figures(database)


def _seed() -> None:
    from django.db import connection, transaction

    from iam.audit.frameworks.assessment import assess_due
    from iam.journal.chain import chain_pending
    from iam.journal.services import entry, record_all
    from tests import factories
    from tests.iam.audit.evidence.made_packs import done_change

    with transaction.atomic():
        account = factories.account()
        factories.synced(account)
        with factories.at_once():
            for number in range(USERS):
                factories.user(
                    account, f"u{number}", credentials={"mfa": "virtual" if number % 9 else "none"}
                )
        for _ in range(CHANGES):
            done_change(account)
        record_all([entry(kind="sign_in.succeeded", actor=None, subject=f"u{n}") for n in range(ENTRIES)])
    while chain_pending():
        pass
    assess_due()
    connection.close()


def _megabytes() -> float:
    """The most that this program has had. getrusage would count what its parent had before."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _figures(database: str) -> Figures:
    """In a process of its own, so that what seeding took is not counted."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.evidence", database, "build"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout.splitlines()[-1]))


def _build(database: str) -> Figures:
    import django

    django.setup()
    from django.utils import timezone

    from console.management.commands.evidence import COMMAND_LINE
    from iam.audit.evidence.models import PackKind
    from iam.audit.evidence.pack_builder import build_here
    from iam.audit.evidence.packs import PackOrder
    from iam.audit.evidence.verify_evidence import verify
    from iam.audit.frameworks.definitions import all_frameworks
    from iam.mirror.models import Account

    all_frameworks()
    Account.objects.count()
    idle = _megabytes()
    now = timezone.now()
    order = PackOrder(
        kind=PackKind.FRAMEWORK, subject="pci-dss-4.0.1", since=now - timedelta(days=90), until=now
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pack.zip"
        began = time.process_time()
        _, counts = build_here(order, path, viewer=COMMAND_LINE)
        built = time.process_time() - began
        above = _megabytes() - idle
        began = time.process_time()
        _, wrong = verify(str(path))
        verified = time.process_time() - began
        size = path.stat().st_size / 1e6
    assert not wrong
    assert counts["users"] == USERS
    assert counts["journal"] >= ENTRIES
    words = f"{USERS:,} users, {CHANGES:,} changes, {counts['journal']:,} journal entries, {size:.1f} MB"
    return [
        figure(f"{database}: evidence pack of {words}, CPU", built, "s", limit=LIMITS["s"]),
        figure(f"{database}: memory of the build above idle", above, "MB", limit=LIMITS["mb"]),
        figure(f"{database}: verify_evidence.py on it, CPU", verified, "s", limit=LIMITS["verify"]),
    ]


if __name__ == "__main__":
    measured = _build(sys.argv[1]) if sys.argv[2:] else measure(sys.argv[1])
    print(json.dumps(measured))
