"""The table of OWASP ASVS in docs/asvs.md names each requirement once, and only tests and sections that
exist.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "asvs.md"
STATES = ("tested", "documented", "yours", "does not apply", "open")
Row = tuple[str, str, str, str, str]


def rows() -> list[Row]:
    """Number, level, what it asks, state, and what shows it, of each requirement."""
    rows: list[Row] = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\| \d", line):
            number, level, asks, state, shown = (cell.strip() for cell in line.strip("|").split("|"))
            rows.append((number, level, asks, state, shown))
    return rows


@cache
def names_in(path: str) -> frozenset[str]:
    """The tests of a module, as pytest names them behind its path; those of a class begin with its name."""
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    for group in body:
        if isinstance(group, ast.ClassDef):
            names |= {
                f"{group.name}::{node.name}" for node in group.body if isinstance(node, ast.FunctionDef)
            }
    return frozenset(name for name in names if name.split("::")[-1].startswith("test_"))


@cache
def sections_of(path: str) -> frozenset[str]:
    """The anchors of the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / path).read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def test_each_requirement_has_one_row_in_order() -> None:
    listed = (ROOT / "tests" / "asvs_requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [f"{number} {level}" for number, level, *_ in rows()] == [
        line for line in listed if line[0] != "#"
    ]
    assert len(rows()) == 253  # 70 of level 1 and 183 of level 2, as the standard says.


def test_each_row_stands_in_its_chapter() -> None:
    chapter = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        heading = re.match(r"## V(\d+) ", line)
        if heading:
            chapter = heading[1]
        elif re.match(r"\| \d", line):
            assert line.startswith(f"| {chapter}."), line


def test_each_row_says_what_its_state_demands() -> None:
    for number, _level, asks, state, shown in rows():
        assert state in STATES, number
        assert asks, number
        assert shown, number
        assert (".py::" in shown) == (state == "tested"), number
        if state == "documented":
            assert re.match(r"\[.+?\]\(\w[\w-]*\.md#[\w-]+\)", shown), number


def test_each_named_test_and_section_exists() -> None:
    text = TABLE.read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::([\w:]+))?`", text)
    missing = [f"{path}::{name}" for path, name in named if name and name not in names_in(path)]
    missing += [path for path, _ in named if not (ROOT / path).is_file()]
    missing += [
        f"{path}#{anchor}"
        for path, anchor in re.findall(r"\]\((\w[\w-]*\.md)#([\w-]+)\)", text)
        if anchor not in sections_of(path)
    ]
    assert len(named) > 200
    assert missing == []


def test_the_counts_at_the_top_are_right() -> None:
    counted = Counter(state for _number, _level, _asks, state, _shown in rows())
    matches = re.findall(
        rf"^\| ({'|'.join(STATES)}) \| (\d+) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {state: int(count) for state, count in matches} == dict(counted)
    assert f"{len(rows())} requirements" in TABLE.read_text(encoding="utf-8")
