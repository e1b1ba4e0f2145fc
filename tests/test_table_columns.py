"""Columns of actions: found where nobody can act, left alone where somebody can. `tests/test_urls_by_role.py`
and `tests/journeys/test_links.py` look for them on every page of every role.
"""

from __future__ import annotations

import pytest

from tests.table_columns import idle_columns

HEADS = '<tr><th>Name</th><th class="shrink"><span class="sr">Ask</span></th></tr>'


def table(*cells: str) -> str:
    rows = "".join(f"<tr><td>Maya</td><td>{cell}</td></tr>" for cell in cells)
    return f"<table><thead>{HEADS}</thead><tbody>{rows}</tbody></table>"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (table("", " \n "), ["Ask"]),
        (table("", '<a class="btn" href="/x">Ask</a>'), []),
        (table('<button aria-label="Ask"><svg></svg></button>'), []),
        (table('<span class="sr">Nothing to ask</span>'), []),
        (table(), []),
        (table("") + table("<a>Ask</a>"), ["Ask"]),
        ("<table><thead><tr><th>Name</th></tr></thead><tbody><tr><td></td></tr></tbody></table>", []),
    ],
)
def test_a_column_of_actions_without_any_is_found(page: str, expected: list[str]) -> None:
    assert idle_columns(page) == expected
