"""No test falls between the two passes."""

from __future__ import annotations

from pathlib import Path

from tests import passes


def test_each_folder_and_pattern_is_there_once() -> None:
    for pattern in (*passes.ON_POSTGRESQL, *passes.ON_BOTH):
        assert list(Path().glob(pattern)), pattern
    named = passes.on_postgresql()
    assert len(named) == len(set(named))


def test_what_sqlite_leaves_out_runs_on_postgresql() -> None:
    named = set(passes.on_postgresql())
    out = [left.removeprefix("--ignore=") for left in passes.left_out()]
    assert out
    assert [left_path for left_path in out if left_path not in named] == []


def test_what_locks_runs_on_both() -> None:
    assert [left for left in passes.left_out() if left.endswith(passes.LOCKS)] == []
