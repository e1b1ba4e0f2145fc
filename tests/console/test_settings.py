"""Every setting is in the guide, and no other: who operates Gatehouse finds it there or nowhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
OF_OURS: Final = {"GATEHOUSE_SUPERVISED", "GATEHOUSE_JOURNAL_REFUSES_SECRETS"}
"""Set by the supervisor of the embedded default and by the tests."""
VARIABLE: Final = re.compile(r"GATEHOUSE_[A-Z_]+")
SHORTENED: Final = re.compile(r"`(GATEHOUSE_[A-Z]+?)_[A-Z_]+`((?:(?:, | or | and )`_[A-Z_]+`)+)")


def read_settings() -> set[str]:
    """The variables that the settings read: texts of their modules that are such a name and nothing else."""
    names = set()
    for file in (ROOT / "console").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
    return {name for name in names if VARIABLE.fullmatch(name)} - OF_OURS


def explained_settings() -> set[str]:
    """The variables that the guide names, also as `GATEHOUSE_EMAIL_HOST`, `_PORT`."""
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    names = set(VARIABLE.findall(guide))
    for stem, endings in SHORTENED.findall(guide):
        names.update(stem + ending for ending in re.findall(r"_[A-Z_]+", endings))
    return names


def without_file(names: set[str]) -> set[str]:
    """Each setting can be given as a file, whose path is in `NAME_FILE`."""
    return {name.removesuffix("_FILE") for name in names}


def test_every_setting_is_in_the_guide() -> None:
    settings = read_settings()
    assert len(settings) > 40
    assert sorted(settings - explained_settings() - without_file(explained_settings())) == []


def test_the_guide_names_no_setting_that_nobody_reads() -> None:
    assert sorted(without_file(explained_settings()) - without_file(read_settings())) == []
