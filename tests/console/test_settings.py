"""Every setting is in the guide: who operates Gatehouse finds it there or nowhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
FILES: Final = ("settings.py", "notices.py", "plain_connections.py", "siem.py", "single_sign_on.py")
OF_OURS: Final = {"GATEHOUSE_SUPERVISED", "GATEHOUSE_JOURNAL_REFUSES_SECRETS"}
"""Set by the supervisor of the embedded default and by the tests."""
SHORTENED: Final = re.compile(r"`(GATEHOUSE_[A-Z]+?)_[A-Z_]+`((?:(?:, | or | and )`_[A-Z_]+`)+)")


def read_settings() -> set[str]:
    """The variables that the settings read."""
    names = set()
    for file in FILES:
        for node in ast.walk(ast.parse((ROOT / "console" / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                names.add(str(node.args[0].value))
    return {name for name in names if re.fullmatch(r"GATEHOUSE_[A-Z_]+", name)}


def explained_settings() -> set[str]:
    """The variables that the guide names, also as `GATEHOUSE_EMAIL_HOST`, `_PORT`."""
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    names = set(re.findall(r"GATEHOUSE_[A-Z_]+", guide))
    for stem, endings in SHORTENED.findall(guide):
        names.update(stem + ending for ending in re.findall(r"_[A-Z_]+", endings))
    return names | {name.removesuffix("_FILE") for name in names}


def test_every_setting_is_in_the_guide() -> None:
    settings = read_settings()
    assert len(settings) > 40
    assert sorted(settings - explained_settings() - OF_OURS) == []
