"""Above each receipt stands what is done, where and until when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

TEMPLATES: Final = Path(__file__).resolve().parents[3] / "templates"
RECEIPT: Final = "changes/_impact.html"
SAYS_WHAT: Final = frozenset(
    (
        "changes/_what.html",
        # A grant says it by account.
        "access/grants/_effect.html",
        # What is different in AWS already.
        "changes/_drift_lines.html",
    )
)
APART: Final = {
    "access/templates/difference.html": "Compares versions; nothing is requested.",
    "access/templates/write.html": "Saves a version; updating grants is requested apart.",
}
INCLUDE: Final = re.compile(r'{% include "([^"]+)"')


def _includes(name: str, within: tuple[str, ...] = ()) -> Iterator[str]:
    """The templates that a page includes, in the order in which they are shown."""
    for included in INCLUDE.findall((TEMPLATES / name).read_text()):
        yield included
        if included != RECEIPT and included not in within:
            yield from _includes(included, (*within, included))


def _with_receipts() -> list[str]:
    return [
        str(path.relative_to(TEMPLATES))
        for path in sorted(TEMPLATES.rglob("*.html"))
        if not path.name.startswith("_") and RECEIPT in set(_includes(str(path.relative_to(TEMPLATES))))
    ]


@pytest.mark.parametrize("page", _with_receipts())
def test_what_where_and_until_when_stand_above_the_receipt(page: str) -> None:
    before: list[str] = []
    for included in _includes(page):
        if included == RECEIPT:
            break
        before.append(included)
    is_apart = page in APART or not APART.keys().isdisjoint(before)
    assert is_apart or SAYS_WHAT.intersection(before), before


def test_the_pages_apart_are_there() -> None:
    assert all((TEMPLATES / page).exists() for page in APART)
    assert len(_with_receipts()) >= 12
