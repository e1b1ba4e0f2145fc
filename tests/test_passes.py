"""No test falls between the two passes, and each file says on which database it runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests import environment, passes

BOTH_WAYS = {passes.ON_POSTGRESQL, passes.ON_BOTH}
ONE_DATABASE = re.compile(r"mark\.(sqlite_plan|postgresql)\b")
"""On a test that only one database runs, in whatever pass."""


@pytest.fixture(scope="module")
def databases() -> dict[Path, set[str]]:
    """Of each file, the marks of the databases that run it."""
    left_out, on_postgresql = set(passes.left_out()), set(passes.on_postgresql())
    names_of: dict[Path, set[str]] = {file: set() for file in passes.files()}
    for file, names in names_of.items():
        if f"--ignore={file}" not in left_out:
            names.add("sqlite_plan")
        if str(file) in on_postgresql:
            names.add("postgresql")
    return names_of


def test_each_file_runs_somewhere_and_both_passes_have_some(databases: dict[Path, set[str]]) -> None:
    assert passes.left_out()
    assert len(passes.left_out()) < len(passes.on_postgresql()) < len(passes.files())
    assert [file for file, names in databases.items() if not names] == []


def test_a_file_names_one_place_and_names_it_for_all_its_tests() -> None:
    for file in passes.files():
        marks = passes.marks_of(file) & BOTH_WAYS
        assert len(marks) < 2, file
        if file != Path("tests/test_passes.py"):
            assert len(re.findall(r"mark\.on_(?:postgresql|both)\b", file.read_text())) == len(marks), file


def test_no_test_is_left_to_a_database_that_does_not_run_its_file(databases: dict[Path, set[str]]) -> None:
    for file, names in databases.items():
        assert set(ONE_DATABASE.findall(file.read_text())) <= names, file


def test_what_begins_first_is_there() -> None:
    scopes = {environment.scope_of(f"{file}::test") for file in passes.files()}
    assert [start for start in environment.FIRST if start not in {s.partition("::")[0] for s in scopes}] == []


def test_journeys_that_share_a_console_are_in_one_process() -> None:
    together = {"test_approvals", "test_grants", "test_first_write"}
    assert {environment.scope_of(f"tests/journeys/{name}.py::test") for name in together} == {"journeys 1"}
    links = [environment.scope_of(f"tests/journeys/test_links.py::test[{role}]") for role in ("a", "b")]
    assert len(set(links)) == 2


def test_what_locks_runs_on_both() -> None:
    """Each database locks in its own way."""
    names = {"test_two_at_once.py", "test_at_once.py"}
    locking = [file for file in passes.files() if file.name in names]
    assert locking
    assert [file for file in locking if passes.ON_BOTH not in passes.marks_of(file)] == []


def test_pages_in_a_browser_run_on_sqlite() -> None:
    """The journeys do, and one look at a page is enough."""
    marked = [file for file in passes.files() if passes.marks_of(file) & BOTH_WAYS]
    assert [file for file in marked if "browser" in file.name or "journeys" in file.parts] == []


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("import pytest\npytestmark = pytest.mark.on_both", {"on_both"}),
        ("pytestmark = [pytest.mark.on_postgresql, pytest.mark.timeout(9)]", {"on_postgresql", "timeout"}),
        ("@pytest.mark.on_both\ndef test(): ...", set()),
        ("def test():\n    pytestmark = pytest.mark.on_both", set()),
    ],
)
def test_marks_are_those_of_the_whole_file(tmp_path: Path, text: str, marks: set[str]) -> None:
    (tmp_path / "test_some.py").write_text(text)
    assert passes.marks_of(tmp_path / "test_some.py") == marks


EXIT = "import os, sys; print(os.environ.get('TEST_DATABASE', 'sqlite')); sys.exit(int(sys.argv[1]))"


@pytest.mark.parametrize(("first", "second", "code"), [(0, 0, 0), (1, 0, 1), (0, 2, 2), (1, 2, 1)], ids=str)
def test_a_failure_of_either_pass_is_one_of_all_and_both_are_heard(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], first: int, second: int, code: int
) -> None:
    monkeypatch.delenv("TEST_DATABASE", raising=False)
    monkeypatch.setattr(passes.postgres, "why_missing", lambda: "")
    monkeypatch.setattr(passes, "command", lambda workers: [sys.executable, "-c", EXIT])
    monkeypatch.setattr(passes, "left_out", lambda: [str(first)])
    monkeypatch.setattr(passes, "on_postgresql", lambda: [str(second)])
    assert passes.main() == code
    assert capfd.readouterr().out.split() == ["sqlite", "On", "PostgreSQL:", "postgres"]
