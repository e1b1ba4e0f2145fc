"""How long the replay of 100,000 recorded calls takes, of which some 3,000 are different: for a command, and
on the receipt of a request. Seconds of processor time.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from tests.bench.floor import figure
from tests.bench.trail_events import record

CALLS: Final = 100_000
KEYS: Final = 3_000
BATCH: Final = 1_000
LIMIT: Final = 5
Figures = list[dict[str, Any]]


def run() -> Figures:
    """The figures, from a process with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-replay-") as folder:
        variables = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "GATEHOUSE_MODE": "embedded",
            "GATEHOUSE_VAR": folder,
            "GATEHOUSE_ACTIVITY_KEEP_EVENTS": "false",
        }
        command = [sys.executable, "-m", "tests.bench.replay"]
        done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
        return list(json.loads(done.stdout.splitlines()[-1]))


def measure() -> Figures:
    """The figures, in a process with a database."""
    import django

    django.setup()
    from django.core.management import call_command

    from iam.access.principals import find_principal
    from iam.access.replay import ReplayRequest, replay_calls
    from iam.activity.ingest import DeliveredFile, ingest
    from iam.changes.operations import DETACH_POLICY, Attachment
    from iam.changes.receipts import set_receipt_of
    from iam.mirror.models import EdgeKind, Entity
    from tests import factories

    call_command("migrate", verbosity=0)
    account = factories.account("100000000000")
    factories.synced(account)
    user = factories.user(account, "user-0")
    Entity.objects.filter(pk=user.pk).update(aws_id=f"AIDA{0:017d}")
    statement = {"Effect": "Allow", "Action": ["s3:*", "ec2:*", "iam:List*"], "Resource": "*"}
    body = {"Version": "2012-10-17", "Statement": [statement]}
    policy = factories.policy(account, "Everything", body=body)
    factories.edge(EdgeKind.ATTACHED, user, policy)
    stored = ingest(
        (DeliveredFile(str(number), content) for number, content in enumerate(_files())), "command"
    )
    assert stored.stored == CALLS, stored

    who = find_principal(user.arn, accounts=None, at=None)
    began = time.process_time()
    report = replay_calls(ReplayRequest(who, without=policy.arn))
    command = time.process_time() - began
    assert report.calls == CALLS

    began = time.process_time()
    impact = set_receipt_of([Attachment.of(DETACH_POLICY, user, policy=policy)])["impact"]
    receipt = time.process_time() - began
    assert impact["replay"]["cut"] == ""
    return [
        figure(f"replay: {CALLS:,} calls, {KEYS:,} different", round(command, 2), "s", limit=LIMIT),
        figure("replay: the receipt of a request that takes them away", round(receipt, 2), "s", limit=LIMIT),
    ]


def _files() -> Iterator[bytes]:
    """Files with the calls of one user, in the last days."""
    chance = random.Random(14)
    at = datetime.now(tz=UTC) - timedelta(days=30)
    for _ in range(CALLS // BATCH):
        records = []
        for _ in range(BATCH):
            at += timedelta(seconds=20)
            made = record(chance, at, 0)
            if made["eventName"] == "GetObject":
                key = f"2026/{chance.randrange(KEYS)}.csv"
                made["requestParameters"] = {"bucketName": "pay-ledger", "key": key}
            records.append(made)
        yield gzip.compress(orjson.dumps({"Records": records}), compresslevel=1)


if __name__ == "__main__":
    print(json.dumps(measure()))
