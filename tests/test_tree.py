"""The tests lie where their package lies: tests of `iam.access.grants` in `tests/iam/access/grants`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("iam", "console")
KINDS: Final = frozenset(
    {"attacks", "bench", "console", "iam", "journeys", "production", "services", "vendor"}
)
"""What lies beside the two mirrored packages is of the whole product: a kind of test, or what tests need."""


def _folders(package: str) -> list[Path]:
    """Those with tests in them, or below."""
    return sorted({test.parent for test in (ROOT / "tests" / package).rglob("test_*.py")})


@pytest.mark.parametrize("package", PACKAGES)
def test_each_folder_of_tests_is_named_after_a_package_or_a_module(package: str) -> None:
    strangers = []
    for folder in _folders(package):
        of_code = ROOT / folder.relative_to(ROOT / "tests")
        if not of_code.is_dir() and not of_code.with_suffix(".py").is_file():
            strangers.append(str(folder.relative_to(ROOT)))
    assert strangers == []


def test_nothing_else_lies_beside_the_packages() -> None:
    folders = {
        path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    assert folders <= KINDS
