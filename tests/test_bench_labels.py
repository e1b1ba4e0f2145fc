"""The benchmarks that use a browser look for labels that the pages have: they run by themselves, so nothing
else would notice.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LABEL = re.compile(
    r"""get_by_(?:label|text|role|placeholder)\((?:"\w+", name=)?"""
    r"""(?:re\.compile\()?r?"\^?([^"$]+?)\s*\$?"[,)]"""
)


def labels() -> list[tuple[str, str]]:
    """(file, label) of every label that a benchmark looks for."""
    files = sorted((ROOT / "tests" / "bench").rglob("*.py"))
    return [
        (str(file.relative_to(ROOT)), label) for file in files for label in LABEL.findall(file.read_text())
    ]


@cache
def texts() -> str:
    """All templates, and the code that holds labels of forms and states."""
    files = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "console").rglob("*.py")]
    files += (ROOT / "iam").rglob("*.py")
    return "\n".join(file.read_text() for file in files)


def test_benchmarks_look_for_labels() -> None:
    assert len(labels()) > 5


@pytest.mark.parametrize(("file", "label"), labels())
def test_a_label_that_a_benchmark_looks_for_is_on_a_page(file: str, label: str) -> None:
    assert label in texts(), file
