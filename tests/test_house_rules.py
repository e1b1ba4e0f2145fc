"""The house rules see every template, the texts of mails as well as the pages."""

from __future__ import annotations

import pytest

from tests.house_rules import MAX_TEMPLATE_COLUMNS, TEMPLATE_SUFFIXES, tracked, wide_lines


@pytest.mark.parametrize("place", ["templates/page.html", "templates/email/message.txt"])
def test_a_line_of_a_page_or_of_a_mail_that_is_too_wide_is_a_breach(place: str) -> None:
    fitting = "x" * MAX_TEMPLATE_COLUMNS
    assert list(wide_lines({place: f"{fitting}\n{fitting}x\n"})) == [
        f"{place}:2: 161 columns; 160 are the limit"
    ]


def test_every_kind_of_template_is_looked_at() -> None:
    """A template with another ending would be read by nothing; the index of the components is
    documentation.
    """
    kinds = {file.suffix for file in tracked("templates/*")}
    assert {".html", ".txt"} <= kinds
    assert kinds - {".md"} <= TEMPLATE_SUFFIXES
