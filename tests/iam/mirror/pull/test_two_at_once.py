"""Two processes read the same account at the same moment, over a database of their own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.bench.fakeaws.accounts import account_id
from tests.bench.fakeaws.process import in_thread
from tests.bench.fakeaws.world import Options
from tests.patience import PATIENCE_S
from tests.services import tables

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]

ROOT = Path(__file__).resolve().parents[4]
PREPARE = """
import django; django.setup()
from iam.mirror.models import Account
Account.objects.create(account_id="%s", name="production", source="environment")
"""


@pytest.fixture
def address(tmp_path: Path, db: None) -> Iterator[str]:
    """A database for commands in other processes, of the kind that this pass is about."""
    with tables.apart(tmp_path) as made:
        yield made


@pytest.fixture
def environment(tmp_path: Path, address: str) -> dict[str, str]:
    """What those commands work with."""
    return {
        **os.environ,
        "DATABASE_URL": address,
        "GATEHOUSE_VAR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "AWS_ACCESS_KEY_ID": "AKIAFAKE",
        "AWS_SECRET_ACCESS_KEY": "x",
        "GATEHOUSE_DETAIL_CALLS": "0",
    }


def test_two_pulls_of_one_account_at_once_leave_one_whole_account(
    environment: dict[str, str], address: str
) -> None:
    with in_thread(Options(users=400, groups=20, roles=200, policies=60, latency_ms=30)) as (endpoint, world):
        environment["AWS_ENDPOINT_URL"] = endpoint
        subprocess.run(
            [sys.executable, "-c", PREPARE % account_id(0)],
            cwd=ROOT,
            env=environment,
            check=True,
            timeout=PATIENCE_S,
        )
        command = [sys.executable, "manage.py", "pull", "--json"]
        both = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        answers = [json.loads(process.communicate(timeout=PATIENCE_S)[0])["pulls"][0] for process in both]
        walks = world.requests["GetAccountAuthorizationDetails"]
        users = len(world.account.users)
    # Either the second found the first at work and waited for it, or it came when the first had ended.
    assert [answer["state"] for answer in answers] == ["complete", "complete"]
    assert walks == len({answer["pull"] for answer in answers})
    current = (
        "SELECT count(*), count(DISTINCT entity_id) FROM mirror_entitystate WHERE valid_to IS NULL AND "
        "kind = 'user'"
    )
    assert row(address, current) == (users, users)
    assert row(address, "SELECT count(*) FROM mirror_entity WHERE gone_at IS NOT NULL") == (0,)


def row(address: str, query: str) -> tuple[int, ...]:
    """The one row that a query finds."""
    file = address.removeprefix("sqlite:///")
    connect = sqlite3.connect if file != address else psycopg.connect
    with closing(connect(file)) as database:
        return tuple(database.execute(query).fetchone())
