"""Who can write to Redis can neither stop the workers with malformed messages nor give them orders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from redis import Redis

from tests.journeys.production import Installation, done
from tests.patience import PATIENCE_S

MALFORMED = [
    b"garbage",
    b"\xff\xfe\x00",
    b"[]",
    b"7",
    b"null",
    b"{}",
    b"[" * 50_000,
    json.dumps({"body": "%%%", "properties": {}}).encode(),
    json.dumps({"body": "e30=", "headers": {}, "content-type": "application/x-python-serialize",
                "content-encoding": "binary", "properties": {"delivery_tag": "1", "body_encoding": "base64",
                "delivery_info": {"exchange": "", "routing_key": "gatehouse"}}}).encode(),
]  # fmt: skip
CHAIN = """
import django; django.setup()
from iam.journal.services import record
from console.celery import app
print(record(kind="message.survived", actor=None).pk)
app.send_task("iam.journal.tasks.chain_journal")
"""
PING = """
import django; django.setup()
from console.celery import app
print(app.control.ping(timeout=2), app.control.shutdown())
"""


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def script(installed: Installation, text: str) -> str:
    """What a script of the installation prints."""
    ended = done(installed.start_any([sys.executable, "-c", text], DJANGO_SETTINGS_MODULE="console.settings"))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_a_worker_survives_malformed_messages_and_takes_no_orders(installed: Installation) -> None:
    installed.start("worker", "worker", **{"4": "1"})
    try:
        with Redis.from_url(installed.redis_url) as broker:
            for message in MALFORMED:
                broker.lpush("gatehouse", message)
            entry = script(installed, CHAIN).splitlines()[-1]
            linked = f"SELECT 1 FROM journal_link WHERE entry_id = {int(entry)}"
            wait_for(lambda: installed.rows(linked), installed.log("worker").read_text()[-3000:])
            assert broker.llen("gatehouse") == 0
        assert script(installed, PING) == "[] None"
        assert installed.processes["worker"].poll() is None
    finally:
        worker = installed.processes.pop("worker")
        worker.terminate()
        worker.wait(PATIENCE_S)


def test_a_web_process_that_died_is_started_again(installed: Installation) -> None:
    parent = installed.processes["web"].pid
    listing = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=True)
    workers = set(map(int, listing.stdout.split()))
    assert len(workers) >= 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
        time.sleep(8)
    wait_for(lambda: installed.is_serving(), installed.log("web").read_text()[-3000:])
    assert installed.processes["web"].poll() is None
