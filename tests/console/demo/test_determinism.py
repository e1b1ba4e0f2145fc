"""The same organisation comes out every time, in every process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

from console.demo.standin.server import RunningStandin
from console.demo.standin.startup import start
from tests.console.demo.clients import authorization_details, reader

ACCOUNTS = ("management", "production", "data", "staging", "sandbox")


def everything(standin: RunningStandin, *, accounts: tuple[str, ...] = ACCOUNTS) -> dict[str, Any]:
    """Authorization details of the accounts but what reading them changes: the last use of Gatehouse's own
    roles.
    """
    everything = {name: authorization_details(reader(standin, "iam", name)) for name in accounts}
    for lists in everything.values():
        for role in lists["RoleDetailList"]:
            if role["RoleName"].startswith("gatehouse-"):
                role.pop("RoleLastUsed")
    return everything


def digest(answers: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(answers, default=str, sort_keys=True).encode()).hexdigest()


def digest_of_june() -> str:
    """Seed as of a fixed moment and digest what is served."""
    handle = start(host="127.0.0.1", port=0, state=None, now=datetime(2026, 6, 1, 12, 30))
    try:
        return digest(everything(handle))
    finally:
        handle.stop()


def test_two_seedings_are_equal(standin: RunningStandin) -> None:
    first = everything(standin)
    standin.world.reset()
    assert everything(standin) == first


def test_another_process_with_another_hash_seed_serves_the_same() -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "from tests.console.demo.test_determinism import digest_of_june as d; print(d())",
        ],
        env=os.environ | {"PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.strip() == digest_of_june()


def test_another_day_changes_dates_and_nothing_else() -> None:
    def of(now: datetime) -> dict[str, Any]:
        handle = start(host="127.0.0.1", port=0, state=None, now=now)
        try:
            return everything(handle, accounts=("data",))
        finally:
            handle.stop()

    def without_dates(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: without_dates(v) for k, v in value.items() if not isinstance(v, datetime)}
        return [without_dates(v) for v in value] if isinstance(value, list) else value

    first_day, other = of(datetime(2026, 6, 1)), of(datetime(2026, 6, 8))
    assert without_dates(first_day) == without_dates(other)
    users = [lists["UserDetailList"][0]["CreateDate"] for lists in (first_day["data"], other["data"])]
    assert users[1] - users[0] == timedelta(days=7)
