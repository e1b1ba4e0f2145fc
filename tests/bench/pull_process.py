"""Pulls one account in a process of its own, once from nothing and then again after small changes, and says
what each cost.

`costs_of(address, url=…)` gives a Cost-like dictionary per step; by hand: `python -m tests.bench.pull_process
ADDRESS`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from tests.bench.fakeaws.process import control
from tests.bench.floor import environment, measure

ACCOUNT = "111111111111"
ROUNDS = 3
Steps = dict[str, dict[str, Any]]


def costs_of(address: str, *, url: str, folder: str, detail_calls: int = 0) -> Steps:
    """Step → cpu, wall, peak_mb, and what the pull says of itself; measured in a fresh process against an
    empty database.
    """
    variables = {
        **os.environ,
        **environment(address),
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "GATEHOUSE_MODE": "embedded",
        "GATEHOUSE_VAR": folder,
        "GATEHOUSE_AWS_RATE": "1000",
        "GATEHOUSE_DETAIL_CALLS": str(detail_calls),
        "DATABASE_URL": url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    command = [sys.executable, "-m", "tests.bench.pull_process", address]
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(address: str) -> Steps:
    """First pull; unchanged but for last uses; one percent changed; the cheapest of a few of each but the
    first.
    """
    import django

    django.setup()
    from django.core.management import call_command

    from iam.mirror.models import Account

    call_command("migrate", verbosity=0)
    account, _ = Account.objects.get_or_create(
        account_id=ACCOUNT, defaults={"name": "bench", "source": "environment"}
    )
    _warm()
    steps: Steps = {"first": _pull(account)}
    rows = _rows()
    for seed in range(ROUNDS):
        control(address, f"_touch?n=500&seed={seed + 3}")
        _keep_cheapest(steps, "unchanged", _pull(account))
    steps["unchanged"]["rows_written"] = _rows() - rows
    for seed in range(ROUNDS):
        control(address, f"_mutate?n=40&seed={seed + 3}")
        _keep_cheapest(steps, "changed", _pull(account))
    return steps


def _warm() -> None:
    """What an idle worker has loaded: botocore's models, our modules."""
    from iam.aws.access import AccountAccess
    from iam.aws.session import connect
    from iam.mirror.pull import run

    assert run.run_pull
    aws = connect(AccountAccess(ACCOUNT))
    for client in (aws.iam, aws.sts, aws.organizations, aws.ec2("us-east-1")):
        assert client
    aws.close()


def _pull(account: Any) -> dict[str, Any]:
    from iam.mirror.queries.pulls import summary_of
    from iam.mirror.services import request_pull, run_pull

    done: list[Any] = []

    def work() -> int:
        done.append(run_pull(request_pull(account, trigger="command").pk))
        return 1

    cost = asdict(measure(work))
    summary = summary_of(done[0])
    if summary["state"] not in ("complete", "partial"):
        raise RuntimeError(summary["message"])
    return {**cost, "summary": {key: summary[key] for key in ("state", "calls", "added", "changed", "ended")}}


def _keep_cheapest(steps: Steps, name: str, figure: dict[str, Any]) -> None:
    old = steps.get(name, figure)
    steps[name] = {
        **figure,
        "cpu": min(old["cpu"], figure["cpu"]),
        "wall": min(old["wall"], figure["wall"]),
        "peak_mb": max(old["peak_mb"], figure["peak_mb"]),
    }


def _rows() -> int:
    """All rows of history, and the highest ids, so that a row that came and went shows too."""
    from django.db.models import Max

    from iam.mirror.models import Document, Entity
    from iam.mirror.pull import temporal

    total = Document.objects.count() + Entity.objects.count()
    for table in (*temporal.OF_ENTITIES, temporal.FACTS):
        model = table.model
        total += model._default_manager.count() + (model._default_manager.aggregate(m=Max("id"))["m"] or 0)
        total += model._default_manager.filter(valid_to__isnull=False).count()
    return total


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
