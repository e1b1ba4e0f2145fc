"""Two processes read the same account at the same moment, over a real database file."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.fakeaws.accounts import account_id
from tests.bench.fakeaws.process import in_thread
from tests.bench.fakeaws.world import Options

pytestmark = pytest.mark.on_both

ROOT = Path(__file__).resolve().parents[4]
PREPARE = """
import django; django.setup()
from django.core.management import call_command
from iam.mirror.models import Account
call_command("migrate", verbosity=0)
Account.objects.create(account_id="%s", name="production", source="environment")
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A database file of its own for commands in other processes."""
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'gatehouse.sqlite3'}",
        "GATEHOUSE_VAR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "AWS_ACCESS_KEY_ID": "AKIAFAKE",
        "AWS_SECRET_ACCESS_KEY": "x",
        "GATEHOUSE_DETAIL_CALLS": "0",
    }


def test_two_pulls_of_one_account_at_once_leave_one_whole_account(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with in_thread(Options(users=400, groups=20, roles=200, policies=60, latency_ms=30)) as (address, world):
        environment["AWS_ENDPOINT_URL"] = address
        subprocess.run(
            [sys.executable, "-c", PREPARE % account_id(0)],
            cwd=ROOT,
            env=environment,
            check=True,
            timeout=120,
        )
        command = [sys.executable, "manage.py", "pull", "--json"]
        both = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        answers = [json.loads(process.communicate(timeout=120)[0])["pulls"][0] for process in both]
        walks = world.requests["GetAccountAuthorizationDetails"]
        users = len(world.account.users)
    # Either the second found the first at work and waited for it, or it came when the first had ended.
    assert [answer["state"] for answer in answers] == ["complete", "complete"]
    assert walks == len({answer["pull"] for answer in answers})
    with sqlite3.connect(tmp_path / "gatehouse.sqlite3") as database:
        current = (
            "SELECT count(*), count(DISTINCT entity_id) FROM mirror_entitystate WHERE valid_to IS NULL AND "
            "kind = 'user'"
        )
        assert database.execute(current).fetchone() == (users, users)
        ended = "SELECT count(*) FROM mirror_entity WHERE gone_at IS NOT NULL"
        assert database.execute(ended).fetchone() == (0,)
    database.close()
