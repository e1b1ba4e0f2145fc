"""Protects text against formula injection in spreadsheets."""

from __future__ import annotations

import re
from typing import Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
# In locales with semicolons as list separators, a spreadsheet ends the cell at each of them, and may skip
# blanks and quotes.
_BEGINS_A_CELL: Final = re.compile(r"(?:^|(?<=[;\t\r\n]))([\"\s]*)(?=[=+@\-\uff1d\uff0b\uff20\uff0d])")


def harmless(text: str) -> str:
    """Return the text with an apostrophe before everything that a spreadsheet would treat as a formula, also
    after separators.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    marked = _BEGINS_A_CELL.sub(r"\1'", text)
    return f"'{marked}" if marked.startswith(FORMULA) else marked
