"""The supervisor: restarts what dies, stops everything, and leaves no orphan even when it is killed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.conftest import Running, start_console
from tests.journeys.processes import alive, command_line, descendants
from tests.services.browser import TIMEOUT_MS

pytestmark = pytest.mark.journey


def wait_for(condition: Callable[[], bool], *, what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Path:
    """A data folder that is used again."""
    folder = tmp_path_factory.mktemp("supervised") / "var"
    shutil.copytree(prepared, folder)
    return folder


@pytest.fixture
def running(var: Path) -> Iterator[Running]:
    started = start_console(var)
    try:
        started.wait_until_ready()
        yield started
    finally:
        # Each test ends it in its own way; one that failed has not come to that.
        if started.process.poll() is None:
            started.process.terminate()
            started.process.wait(timeout=TIMEOUT_MS / 1000)


def test_a_killed_supervisor_leaves_no_orphan(running: Running) -> None:
    children = descendants(running.process.pid)
    assert len(children) >= 5
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait()
    wait_for(lambda: not alive(children), what=f"still there: {alive(children)}")


def test_a_dead_child_is_started_again_and_ctrl_c_stops_everything_cleanly(
    running: Running, var: Path
) -> None:
    before = descendants(running.process.pid)
    # The worker of the web server has the same command line, and nothing below it.
    web, workers = next(
        (pid, below) for pid in before if b"granian" in command_line(pid) and (below := descendants(pid))
    )
    os.kill(web, signal.SIGKILL)
    wait_for(lambda: "web started again" in running.text(), what=running.text())
    after = descendants(running.process.pid)
    wait_for(lambda: not alive(workers), what=f"still there: {workers}")
    kept = [path for path in var.rglob("*") if path.is_file()]
    assert any(path.name == "gatehouse.sqlite3" for path in kept)
    assert not [path for path in kept if path.stat().st_mode & 0o077], "the data are their owner's alone"
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=TIMEOUT_MS / 1000) == 0
    left = alive(before | after)
    assert not left, f"still there: {left}"


@pytest.mark.parametrize("after", [0.5, 1.5, 2.5, 3.5, 4.5])
def test_a_supervisor_that_is_killed_while_it_starts_leaves_no_orphan(tmp_path: Path, after: float) -> None:
    started = start_console(tmp_path / "var")
    seen: set[int] = set()
    deadline = time.monotonic() + after
    while time.monotonic() < deadline:
        seen |= descendants(started.process.pid)
        time.sleep(0.02)
    os.kill(started.process.pid, signal.SIGKILL)
    seen |= descendants(started.process.pid)
    started.process.wait()
    wait_for(lambda: not alive(seen), what=f"still there: {alive(seen)}")
