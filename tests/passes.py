"""Runs the tests in two passes, one on each database: `python -m tests.passes [WORKERS]`.

SQLite is the embedded default, on which all pages and all journeys run. What is SQL, locks and transactions
runs on PostgreSQL, and its file says so: `pytestmark = pytest.mark.on_postgresql` where the journeys walk
over the same lines on SQLite, `pytest.mark.on_both` where each database has its own way. Both passes run at
the same time, so that no core waits at the end of the first. Without PostgreSQL there is one pass, and SQLite
has everything.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from tests.services import postgres

ON_POSTGRESQL: Final = "on_postgresql"
ON_BOTH: Final = "on_both"


def main(workers: str = "3") -> int:
    """The exit code of the first pass that failed; what the second says is printed at its end."""
    if postgres.why_missing():
        return subprocess.call(command(workers))
    with tempfile.TemporaryFile() as output:
        # One process: a fifth of the tests, and PostgreSQL does some of the work.
        second = subprocess.Popen(
            [*command("1"), *on_postgresql()],
            env=os.environ | {"TEST_DATABASE": "postgres"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        first = subprocess.call([*command(workers), *left_out()])
        code = second.wait()
        print("\nOn PostgreSQL:", flush=True)
        output.seek(0)
        shutil.copyfileobj(output, sys.stdout.buffer)
    return first or code


def command(workers: str) -> list[str]:
    """Tests in so many processes."""
    return [sys.executable, "-m", "pytest", "-n", workers, "--dist", "loadscope"]


def left_out() -> list[str]:
    """What pytest is told, for all that does not run on SQLite."""
    return [f"--ignore={file}" for file in files() if ON_POSTGRESQL in marks_of(file)]


def on_postgresql() -> list[str]:
    """What runs on PostgreSQL."""
    return [str(file) for file in files() if marks_of(file) & {ON_POSTGRESQL, ON_BOTH}]


def files() -> list[Path]:
    """All files of tests."""
    return sorted(path for path in Path("tests").rglob("test_*.py") if "bench" not in path.parts)


@cache
def marks_of(file: Path) -> frozenset[str]:
    """The marks that a file puts on all of its tests, read without an import: a pass need not collect what it
    leaves out.
    """
    text = file.read_text(encoding="utf-8")
    if "mark.on_" not in text:
        return frozenset()
    return frozenset(
        word.attr
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for word in ast.walk(node.value)
        if isinstance(word, ast.Attribute) and ast.unparse(word.value) == "pytest.mark"
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
