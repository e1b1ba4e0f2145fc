"""What runs in forks is reported as if it ran in one process; and none of it is lost where a fork is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests import environment, forks

FILES = {
    "few_settings.py": "SECRET_KEY = 'of few tests'\n",
    "test_a.py": "def test_1(tmp_path): print('gw', tmp_path)\ndef test_2(): assert not 'so'\n",
    "test_b.py": "import os\ndef test_dies(): os._exit(0)\n",
    "test_c.py": """
import os, pytest
@pytest.fixture(scope="module", autouse=True)
def kept():
    yield
    open(os.environ["SEEN"], "a").write("torn down ")
@pytest.mark.parametrize("number", range(30))
def test_many(number): open(os.environ["SEEN"], "a").write(f"{os.getpid()} ")
""",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], str]:
    """A run of a few tests in two forks, and what those of one module have written."""
    folder = tmp_path_factory.mktemp("forked")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    own = {"SEEN": str(folder / "seen"), "DJANGO_SETTINGS_MODULE": "few_settings", "PYTHONPATH": str(folder)}
    options = ["-p", "tests.environment", "-p", "tests.forks", "--forks", "2", "-p", "no:django", "-v"]
    process = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-c", os.devnull, "--rootdir", str(folder), str(folder)],
        env={name: text for name, text in os.environ.items() if name != "PYTEST_XDIST_WORKER"} | own,
        capture_output=True,
        text=True,
        check=False,
    )
    return process, (folder / "seen").read_text()


def test_each_test_is_reported_once(run: tuple[subprocess.CompletedProcess[str], str]) -> None:
    process, _ = run
    assert process.returncode == 1, process.stdout + process.stderr
    assert "2 failed, 31 passed" in process.stdout, process.stdout
    assert "test_2 - AssertionError" in process.stdout or "assert not 'so'" in process.stdout, process.stdout


def test_a_process_that_is_lost_is_a_failure_of_its_test(
    run: tuple[subprocess.CompletedProcess[str], str],
) -> None:
    assert "ended in test_b.py::test_dies" in run[0].stdout, run[0].stdout


def test_a_module_runs_in_one_process_and_its_fixtures_end_once(
    run: tuple[subprocess.CompletedProcess[str], str],
) -> None:
    *processes, torn, down = run[1].split()
    assert (torn, down) == ("torn", "down")
    assert list(Counter(processes).values()) == [30]


def test_what_takes_longest_comes_first_and_every_test_comes_once() -> None:
    first = environment.FIRST[1]
    nodeids = ["tests/test_a.py::one", *(f"tests/test_b.py::{n}" for n in range(3)), f"{first}::last"]
    assert forks.parts_of(nodeids) == [[4], [1, 2, 3], [0]]


def test_what_comes_next_is_asked_for_late_and_once() -> None:
    asked = iter(["this", "that"])
    following = forks.Following(asked)
    assert next(asked) == "this"
    assert following
    assert following.item() == "that"
    assert not forks.Following(asked)


def test_folders_move_in_whatever_setting_they_are() -> None:
    old, new = Path("/data/old"), Path("/data/new")
    assert forks.moved([f"file:{old}/a", old / "b", 3, (old,)], old, new) == [
        f"file:{new}/a",
        new / "b",
        3,
        (new,),
    ]
