"""`docs/limits.md` says what the code does: each value that it repeats is the value of the code."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from pathlib import Path

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "limits.md").read_text(encoding="utf-8")
CONSTANT = re.compile(r"`((?:console|iam)(?:\.\w+)+\.[A-Z_]+)`")


def written(value: object) -> set[str]:
    """The ways in which a value may stand in the text."""
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        units = {"days": 86_400, "hours": 3_600, "minutes": 60}
        return {f"{seconds // size:,} {unit}" for unit, size in units.items() if seconds % size == 0}
    return {f"{value:,}"}


def test_each_repeated_value_is_that_of_the_code() -> None:
    wrong, compared = [], 0
    for line in TEXT.splitlines():
        for name in CONSTANT.findall(line):
            module, _, constant = name.rpartition(".")
            value = getattr(importlib.import_module(module), constant)
            rule = line.rsplit("|", 2)[0]
            compared += 1
            if not any(
                re.search(rf"(?<![\d,]){re.escape(text)}(?![\d,]*\d)", rule) for text in written(value)
            ):
                wrong.append(f"{name} is {value}: {line}")
    assert wrong == []
    assert compared >= 25


def test_each_setting_that_it_names_is_in_the_guide() -> None:
    guide = (Path(__file__).resolve().parent.parent / "docs" / "operate.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(GATEHOUSE_\w+)`", TEXT))
    assert len(named) > 8
    assert [name for name in sorted(named) if f"`{name}`" not in guide] == []
