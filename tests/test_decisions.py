"""The record of decisions can be found by subject, and each entry says when, what and why."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

from tests.house_rules import ROOT

TEXT = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
INDEX, _, REST = TEXT.partition("## Index")[2].partition("\n## ")
ENTRIES = dict(entry.split("\n", 1) for entry in REST.split("\n## "))
LISTED = re.findall(r"^- \[(.+)\]\(#(.+)\)$", INDEX, re.MULTILINE)


def anchor(heading: str) -> str:
    """The address of a heading, as viewers of Markdown make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_each_entry_is_in_the_index_once() -> None:
    assert Counter(heading for heading, _ in LISTED) == Counter(list(ENTRIES))


def test_the_index_leads_to_the_entries() -> None:
    assert {heading: address for heading, address in LISTED if address != anchor(heading)} == {}


def test_each_entry_says_when_what_and_why() -> None:
    for heading, text in ENTRIES.items():
        match = re.match(r"\*When\*: (\d{4}-\d\d-\d\d)\n", text)
        assert match, heading
        date.fromisoformat(match.group(1))
        assert "*What*:" in text, heading
        assert "*Why*:" in text, heading
