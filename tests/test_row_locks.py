"""Locks name the rows that they are on. PostgreSQL refuses to lock what a row is joined with where that may
be missing, and SQLite, which locks no rows, doesn’t tell.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def _chain(call: ast.Call) -> Iterator[tuple[str, ast.Call]]:
    """The methods that are called one after the other on a query set, the last first."""
    node: ast.expr = call
    while True:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node
            node = node.func.value
        elif isinstance(node, ast.Attribute):
            node = node.value
        else:
            return


def unnamed_locks(source: str) -> list[int]:
    """The lines of query sets that lock rows, read others with them, and don’t say which are locked."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        calls = dict(_chain(node))
        lock = calls.get("select_for_update")
        if lock is None or "select_related" not in calls:
            continue
        if not any(keyword.arg == "of" for keyword in lock.keywords):
            lines.append(lock.lineno)
    return sorted(set(lines))


def test_every_lock_names_its_rows() -> None:
    found = []
    for folder in ("iam", "console"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            lines = unnamed_locks(file.read_text(encoding="utf-8"))
            found += [f"{file.relative_to(ROOT)}:{line}" for line in lines]
    assert found == []


def test_a_lock_that_names_nothing_is_seen() -> None:
    assert unnamed_locks("Row.objects.select_for_update().select_related('a').get(pk=1)") == [1]
    assert unnamed_locks("(\n rows.select_related('a')\n .filter(b=1)\n .select_for_update()\n)") == [2]
    assert unnamed_locks("Row.objects.select_for_update(of=('self',)).select_related('a')") == []
    assert unnamed_locks("Row.objects.select_for_update().get(pk=1)") == []
