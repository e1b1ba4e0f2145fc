"""What was made elsewhere is listed with its license, and the license lies beside it."""

from __future__ import annotations

import re

from tests.house_rules import ROOT, tracked

TEXT = (ROOT / "docs/third-party.md").read_text(encoding="utf-8")
PATHS = [path.relative_to(ROOT).as_posix() for path in tracked("*")]
LICENSES = re.compile(r"(?i)(licen[sc]e|OFL)[^/]*$")
FONTS = re.compile(r"\.(ttf|otf|woff2?)$")


def test_each_license_in_the_tree_is_named() -> None:
    licenses = [path for path in PATHS if "/" in path and LICENSES.search(path)]
    assert licenses
    assert [path for path in licenses if f"`{path}`" not in TEXT] == []


def test_each_font_belongs_to_a_family_that_is_named() -> None:
    fonts = [path for path in PATHS if FONTS.search(path)]
    assert fonts
    named = TEXT.lower().replace(" ", "-")
    families = {
        re.split(r"-(latin|cyrillic|greek|regular|semibold|mono)", path.rsplit("/")[-1])[0] for path in fonts
    }
    assert sorted(family for family in families if family not in named) == []
